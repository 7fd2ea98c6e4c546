use super::*;
use crate::blobs::SILENCE;
use crate::blobs::partial::Partials;
use crate::blobs::share::Shares;
use crate::blobs::shelf::Shelf;
use crate::blobs::turn::Turns;
use crate::store::sqlite::SqliteStore;
use crate::world::RealWorld;
use futures::stream::{BoxStream, StreamExt, iter, pending};
use object_store::memory::InMemory;
use object_store::path::Path as Place;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use standpipe_oplog::chain::sha256;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const TABLET: DeviceId = DeviceId(Uuid::from_u128(1));
const UPLOAD: Uuid = Uuid::from_u128(2);
const NOW: Millis = Millis(1);

async fn blobs(dir: &TempDir) -> Blobs {
    let store = SqliteStore::open(&dir.path().join("hub.db"), Arc::new(RealWorld)).await.unwrap();
    Blobs::open(dir.path(), Arc::new(store), Arc::new(RealWorld)).await.unwrap()
}

/// The same, on a shelf of its own or with less patience.
async fn blobs_with(dir: &TempDir, store: Option<Arc<dyn ObjectStore>>, silence: Duration) -> Blobs {
    let Inner { world, book, .. } = Arc::try_unwrap(blobs(dir).await.0).ok().unwrap();
    let partials = Partials::open(dir.path().join("uploads"), silence, Arc::clone(&world)).unwrap();
    let shelf = match store {
        None => Shelf::folder(&dir.path().join("blobs"), Arc::clone(&world)).unwrap(),
        Some(store) => Shelf::new(store, Arc::clone(&world)),
    };
    Blobs(Arc::new(Inner {
        world,
        book,
        partials,
        shelf,
        turns: Turns::default(),
        shares: Shares::default(),
        arrived: tokio::sync::broadcast::Sender::new(16),
    }))
}

fn new(bytes: &[u8], thumbnail_of: Option<Sha256>) -> NewUpload {
    let by = PersonId(Uuid::nil());
    NewUpload { sha256: sha256(bytes), bytes: bytes.len() as u64, thumbnail_of, by, metadata: String::new() }
}

async fn begin(blobs: &Blobs, bytes: &[u8]) {
    let (id, _) = blobs.begin(TABLET, new(bytes, None), UPLOAD, NOW).await.unwrap();
    assert_eq!(id, Some(UPLOAD));
}

async fn append(blobs: &Blobs, offset: u64, bytes: &[u8]) -> Result<Progress, BlobError> {
    let piece = Piece { offset, length: None, checksum: None };
    blobs.append(TABLET, UPLOAD, piece, body(bytes), NOW).await
}

fn body(bytes: &[u8]) -> BoxStream<'static, io::Result<Bytes>> {
    let pieces: Vec<_> = bytes.chunks(10_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    iter(pieces).boxed()
}

async fn state(blobs: &Blobs, bytes: &[u8]) -> BlobState {
    blobs.states(&[sha256(bytes)], NOW).await.unwrap()[&sha256(bytes)]
}

#[tokio::test]
async fn a_hub_that_stopped_after_the_last_byte_verifies_when_it_is_next_asked() {
    let dir = TempDir::new().unwrap();
    let bytes = b"all of it";
    begin(&blobs(&dir).await, bytes).await;
    // As a power cut leaves it: the file is whole, the book knows nothing of it.
    std::fs::write(dir.path().join("uploads").join(UPLOAD.simple().to_string()), bytes).unwrap();
    let blobs = blobs(&dir).await;
    assert_eq!(state(&blobs, bytes).await, BlobState::Verified);
    assert!(matches!(blobs.progress(TABLET, UPLOAD, NOW).await, Err(BlobError::UnknownUpload)));
}

/// Puts bytes where the blob of `hash` lies.
fn put_on_shelf(dir: &TempDir, hash: Sha256, bytes: &[u8]) {
    let hash = hash.to_string();
    let folder = dir.path().join("blobs").join(&hash[..2]);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(&hash[2..]), bytes).unwrap();
}

#[tokio::test]
async fn a_hub_that_stopped_between_the_shelf_and_the_book_verifies_what_lies_there() {
    let dir = TempDir::new().unwrap();
    let bytes = b"all of it";
    begin(&blobs(&dir).await, bytes).await;
    put_on_shelf(&dir, sha256(bytes), bytes);
    let again = blobs(&dir).await;
    let stands = again.progress(TABLET, UPLOAD, NOW).await.unwrap();
    assert_eq!((stands.state, stands.arrived), (BlobState::Verified, 9));
    let other = b"another";
    begin(&again, other).await;
    put_on_shelf(&dir, sha256(other), other);
    assert_eq!(state(&again, other).await, BlobState::Verified, "also where nobody asks for the upload");
}

#[tokio::test]
async fn spoilt_bytes_on_the_shelf_have_not_arrived_and_are_sent_again() {
    let dir = TempDir::new().unwrap();
    let (bytes, blobs) = (b"all of it", blobs(&dir).await);
    begin(&blobs, bytes).await;
    put_on_shelf(&dir, sha256(bytes), b"all of ix");
    assert_eq!(blobs.progress(TABLET, UPLOAD, NOW).await.unwrap().arrived, 0);
    assert_eq!(append(&blobs, 0, bytes).await.unwrap().state, BlobState::Verified);
    assert_eq!(blobs.check(None, 1).await.unwrap()[0].1, crate::blobs::Health::Whole);
}

#[tokio::test]
async fn what_arrives_is_told_and_what_is_sent_again_is_not() {
    let dir = TempDir::new().unwrap();
    let (bytes, blobs) = (b"\xff\xd8\xff\xe0small", blobs(&dir).await);
    let mut arrivals = blobs.arrivals();
    begin(&blobs, bytes).await;
    append(&blobs, 0, &bytes[..4]).await.unwrap();
    assert!(arrivals.try_recv().is_err(), "half of it");
    append(&blobs, 4, &bytes[4..]).await.unwrap();
    assert!(arrivals.try_recv().is_ok());
    let again = async |of| blobs.begin(TABLET, new(bytes, of), UPLOAD, NOW).await.unwrap();
    assert_eq!(again(None).await, (None, Progress::verified(9)));
    assert!(arrivals.try_recv().is_err(), "sent again");
    let original = Some(sha256(b"large"));
    again(original).await;
    assert!(arrivals.try_recv().is_ok(), "it is somebody's thumbnail now");
    again(original).await;
    assert!(arrivals.try_recv().is_err(), "as it was before");
}

#[tokio::test]
async fn a_verified_photo_whose_file_is_gone_is_asked_for_again() {
    let dir = TempDir::new().unwrap();
    let (bytes, blobs) = (b"evidence", blobs(&dir).await);
    begin(&blobs, bytes).await;
    append(&blobs, 0, bytes).await.unwrap();
    assert_eq!(state(&blobs, bytes).await, BlobState::Verified);
    let hash = sha256(bytes).to_string();
    let file = dir.path().join("blobs").join(&hash[..2]).join(&hash[2..]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(state(&blobs, bytes).await, BlobState::Absent);
    // Also where nobody asked first, and where only a part is left.
    begin(&blobs, bytes).await;
    append(&blobs, 0, bytes).await.unwrap();
    std::fs::write(&file, b"evid").unwrap();
    begin(&blobs, bytes).await;
    append(&blobs, 0, bytes).await.unwrap();
    assert_eq!(state(&blobs, bytes).await, BlobState::Verified);
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[tokio::test]
async fn a_connection_that_falls_silent_counts_as_cut() {
    let dir = TempDir::new().unwrap();
    let blobs = blobs_with(&dir, None, Duration::from_millis(1)).await;
    begin(&blobs, &vec![7; 50_000]).await;
    let piece = Piece { offset: 0, length: None, checksum: None };
    let silent = body(&vec![7; 20_000]).chain(pending());
    let cut = blobs.append(TABLET, UPLOAD, piece, silent, NOW).await;
    assert!(matches!(cut, Err(BlobError::Interrupted)), "{cut:?}");
    assert_eq!(blobs.progress(TABLET, UPLOAD, NOW).await.unwrap().arrived, 20_000);
}

#[tokio::test]
async fn more_than_was_announced_is_not_taken_though_nobody_said_how_much_would_come() {
    let dir = TempDir::new().unwrap();
    let blobs = blobs(&dir).await;
    begin(&blobs, &vec![7; 15_000]).await;
    let more = append(&blobs, 0, &vec![7; 25_000]).await;
    assert!(matches!(more, Err(BlobError::BeyondLength { bytes: 15_000 })), "{more:?}");
    assert_eq!(blobs.progress(TABLET, UPLOAD, NOW).await.unwrap().state, BlobState::Verified);
}

#[tokio::test]
async fn what_came_under_another_length_was_something_else() {
    let dir = TempDir::new().unwrap();
    let blobs = blobs(&dir).await;
    let (bytes, id) = (b"evidence", Uuid::from_u128(3));
    let by = PersonId(Uuid::nil());
    let new = |length| NewUpload {
        sha256: sha256(bytes),
        bytes: length,
        thumbnail_of: None,
        by,
        metadata: String::new(),
    };
    blobs.begin(TABLET, new(20), UPLOAD, NOW).await.unwrap();
    append(&blobs, 0, b"something").await.unwrap();
    let (again, progress) = blobs.begin(TABLET, new(8), id, NOW).await.unwrap();
    assert_eq!((again, progress.arrived), (Some(id), 0));
}

#[tokio::test]
async fn a_clip_that_goes_to_the_shelf_in_parts_arrives_whole() {
    let dir = TempDir::new().unwrap();
    let blobs = blobs(&dir).await;
    let clip: Vec<u8> = (0..20_000_000_u32).map(|at| (at / 7).to_le_bytes()[0]).collect();
    let blob = blobs.take(UPLOAD, MAX_BLOB, body(&clip), NOW).await.unwrap();
    assert_eq!(blob.sha256, sha256(&clip));
    let parts: Vec<_> = blobs.read(blob.sha256, Some(5..19_000_000)).await.unwrap().unwrap().collect().await;
    let back: Vec<u8> = parts.into_iter().flat_map(Result::unwrap).collect();
    assert!(back == clip[5..19_000_000]);
}

#[tokio::test]
async fn what_the_office_adds_is_taken_whole_or_not_at_all() {
    let dir = TempDir::new().unwrap();
    let blobs = blobs(&dir).await;
    let cut = body(&vec![7; 20_000]).chain(iter([Err(io::Error::other("cut"))]));
    assert!(matches!(blobs.take(UPLOAD, 50_000, cut, NOW).await, Err(BlobError::Interrupted)));
    let large = blobs.take(UPLOAD, 19_999, body(&vec![7; 20_000]), NOW).await;
    assert!(matches!(large, Err(BlobError::TooLarge { limit: 19_999, .. })), "{large:?}");
    assert_eq!(std::fs::read_dir(dir.path().join("uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_disk_that_does_not_give_back_what_it_took_confirms_nothing() {
    let dir = TempDir::new().unwrap();
    let rotten = Arc::new(Faulty { inner: InMemory::new(), full: false });
    let blobs = blobs_with(&dir, Some(rotten), SILENCE).await;
    begin(&blobs, b"evidence").await;
    let spoilt = append(&blobs, 0, b"evidence").await;
    assert!(matches!(spoilt, Err(BlobError::Spoilt { .. })), "{spoilt:?}");
    assert!(blobs.blob(sha256(b"evidence")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_had_arrived_stays() {
    let dir = TempDir::new().unwrap();
    let full = Arc::new(Faulty { inner: InMemory::new(), full: true });
    let blobs = blobs_with(&dir, Some(full), SILENCE).await;
    begin(&blobs, b"evidence").await;
    assert!(matches!(append(&blobs, 0, b"evidence").await, Err(BlobError::NoRoom)));
    // Once there is room the blob need not be sent again.
    let blobs = blobs_with(&dir, None, SILENCE).await;
    assert_eq!(state(&blobs, b"evidence").await, BlobState::Verified);
}

/// An object store that spoils what it is given, or has no room for it.
#[derive(Debug)]
struct Faulty {
    inner: InMemory,
    full: bool,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        place: &Place,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        if self.full {
            let source = io::Error::from(io::ErrorKind::StorageFull).into();
            return Err(object_store::Error::Generic { store: "faulty", source });
        }
        let mut bytes: Vec<u8> = payload.iter().flatten().copied().collect();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        self.inner.put_opts(place, bytes.into(), options).await
    }

    async fn get_opts(&self, place: &Place, options: GetOptions) -> object_store::Result<GetResult> {
        self.inner.get_opts(place, options).await
    }

    async fn put_multipart_opts(
        &self,
        _: &Place,
        _: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        unreachable!()
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, object_store::Result<Place>>,
    ) -> BoxStream<'static, object_store::Result<Place>> {
        unreachable!()
    }

    fn list(&self, _: Option<&Place>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        unreachable!()
    }

    async fn list_with_delimiter(&self, _: Option<&Place>) -> object_store::Result<ListResult> {
        unreachable!()
    }

    async fn copy_opts(&self, _: &Place, _: &Place, _: CopyOptions) -> object_store::Result<()> {
        unreachable!()
    }
}

#[tokio::test]
async fn unless_told_otherwise_a_tablet_announces_20_000_at_once_and_sends_16() {
    let dir = TempDir::new().unwrap();
    let blobs = blobs(&dir).await;
    let shares = &blobs.0.shares;
    let announce = |seconds| shares.announce(TABLET, Duration::from_secs(seconds));
    assert!((0..20_000).all(|_| announce(100).is_ok()));
    assert!(matches!(announce(100), Err(BlobError::TooFast { wait_seconds: 1 })));
    assert!(announce(101).is_ok() && announce(101).is_err(), "then one a second");
    let sending: Vec<_> = (0..16).map(|_| shares.send(TABLET).unwrap()).collect();
    assert!(matches!(shares.send(TABLET), Err(BlobError::TooManyAtOnce { most: 16 })));
    drop(sending);
}

#[tokio::test]
async fn a_second_copy_takes_the_place_of_nothing() {
    use std::os::unix::fs::MetadataExt;
    let dir = TempDir::new().unwrap();
    let blobs = blobs(&dir).await;
    let photo = vec![7; 30_000];
    begin(&blobs, &photo).await;
    let (colleague, other) = (DeviceId(Uuid::from_u128(3)), Uuid::from_u128(4));
    let new = NewUpload {
        sha256: sha256(&photo),
        bytes: 30_000,
        thumbnail_of: None,
        by: PersonId(Uuid::nil()),
        metadata: String::new(),
    };
    blobs.begin(colleague, new, other, NOW).await.unwrap();
    let theirs = async |from: usize, to: usize| {
        let piece = Piece { offset: from as u64, length: None, checksum: None };
        blobs.append(colleague, other, piece, body(&photo[from..to]), NOW).await.unwrap()
    };
    // Half of it is here when the first copy is verified.
    theirs(0, 15_000).await;
    assert_eq!(append(&blobs, 0, &photo).await.unwrap().state, BlobState::Verified);
    let file = || crate::blobs::file_of(&dir.path().join("blobs"), sha256(&photo)).metadata().unwrap().ino();
    let first = file();
    assert_eq!(theirs(15_000, 30_000).await.state, BlobState::Verified);
    assert_eq!(file(), first, "what was verified stays");
}
