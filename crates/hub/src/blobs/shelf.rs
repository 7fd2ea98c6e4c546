//! Where whole blobs lie, under their hash: a folder on this machine, behind the interface of any object store.

use super::fault::BlobError;
use super::partial::make_dir;
use crate::world::{World, aside};
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Place;
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256 as Hasher};
use standpipe_domain::ids::Sha256;
use standpipe_domain::media::{SNIFF_BYTES, sniff};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Object stores take larger blobs in parts of at least 5 MiB.
const PART: usize = 8 * 1024 * 1024;
/// How much is read at once to hash or to send.
const READ: usize = 256 * 1024;

/// The store of whole blobs.
#[derive(Clone)]
pub struct Shelf {
    store: Arc<dyn ObjectStore>,
    /// Where the store is a folder on this machine.
    folder: Option<Arc<Folder>>,
    world: Arc<dyn World>,
}

/// What was found where a blob should lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub sha256: Sha256,
    pub bytes: u64,
    pub media_type: &'static str,
}

impl Shelf {
    /// Any object store.
    pub fn new(store: Arc<dyn ObjectStore>, world: Arc<dyn World>) -> Self {
        Self { store, folder: None, world }
    }

    /// A folder on this machine.
    pub fn folder(dir: &Path, world: Arc<dyn World>) -> Result<Self, BlobError> {
        make_dir(dir)?;
        // Off by default: without it a blob could be confirmed that a power cut then takes away.
        let store = LocalFileSystem::new_with_prefix(dir)
            .map_err(BlobError::shelf("opening the folder of photos"))?
            .with_fsync(true);
        let folder = Folder { path: dir.to_owned(), durable: Mutex::default() };
        Ok(Self { folder: Some(Arc::new(folder)), ..Self::new(Arc::new(store), world) })
    }

    /// Puts a file whose bytes are on disk under their hash, durably. They must have that hash. Where that can be, the
    /// file is moved and not copied.
    pub async fn put(&self, file: &Path, sha256: Sha256) -> Result<(), BlobError> {
        let Some(folder) = self.folder.clone() else { return self.copy(file, sha256).await };
        let from = file.to_owned();
        match self.aside(move || folder.take(&from, sha256)).await {
            // The photos lie on another disk.
            Err(error) if error.kind() == ErrorKind::CrossesDevices => self.copy(file, sha256).await,
            moved => moved.map_err(BlobError::disk("moving", file)),
        }
    }

    /// Whether a file of so many bytes lies under this hash, in a folder into which files are moved.
    pub fn has_taken(&self, sha256: Sha256, bytes: u64) -> bool {
        let lies = self.folder.as_ref().and_then(|folder| std::fs::metadata(folder.place(sha256)).ok());
        lies.is_some_and(|lies| lies.len() == bytes)
    }

    async fn copy(&self, file: &Path, sha256: Sha256) -> Result<(), BlobError> {
        let storing = || BlobError::shelf("storing a photo");
        let first = self.part(file, 0).await?;
        if first.len() < PART {
            self.store.put(&place(sha256), first.into()).await.map_err(storing())?;
            return Ok(());
        }
        let mut upload = self.store.put_multipart(&place(sha256)).await.map_err(storing())?;
        let (mut next, mut at) = (first, 0);
        let stored = loop {
            if next.is_empty() {
                break upload.complete().await.map(drop).map_err(storing());
            }
            at += next.len() as u64;
            if let Err(error) = upload.put_part(next.into()).await {
                break Err(storing()(error));
            }
            match self.part(file, at).await {
                Ok(part) => next = part,
                Err(error) => break Err(error),
            }
        };
        if stored.is_err() {
            // Nothing half-written may stay behind; what went wrong first is what is told.
            let _ = upload.abort().await;
        }
        stored
    }

    /// How many bytes lie there; `None` when nothing does.
    pub async fn size(&self, sha256: Sha256) -> Result<Option<u64>, BlobError> {
        match self.store.head(&place(sha256)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(BlobError::shelf("looking for a photo")(error)),
        }
    }

    /// Reads a blob back from where it lies, and hashes it. `None` when nothing is there.
    pub async fn read_back(&self, sha256: Sha256) -> Result<Option<Found>, BlobError> {
        let reading = || BlobError::shelf("reading a photo back");
        let found = match self.store.get(&place(sha256)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(reading()(error)),
        };
        match found.payload {
            GetResultPayload::File(file, path) => {
                let found = self.aside(move || {
                    from_disk(&file);
                    look(file)
                });
                let found = found.await;
                found.map(Some).map_err(BlobError::disk("reading back", &path))
            }
            GetResultPayload::Stream(mut stream) => {
                let mut look = Look::default();
                while let Some(piece) = stream.try_next().await.map_err(reading())? {
                    look.take(&piece);
                }
                Ok(Some(look.found()))
            }
        }
    }

    /// The bytes of a blob, or of a part of it. `None` when nothing is there.
    pub async fn read(
        &self,
        sha256: Sha256,
        range: Option<Range<u64>>,
    ) -> Result<Option<BoxStream<'static, io::Result<Bytes>>>, BlobError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        match self.store.get_opts(&place(sha256), options).await {
            Ok(found) => Ok(Some(stream(found, Arc::clone(&self.world)))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(BlobError::shelf("reading a photo")(error)),
        }
    }

    /// The hash of a file's bytes, as the disk holds them.
    pub async fn hash_file(&self, path: &Path) -> Result<Found, BlobError> {
        let file = path.to_owned();
        let found = self.aside(move || look(File::open(file)?)).await;
        found.map_err(BlobError::disk("hashing", path))
    }

    /// The part of a file that begins at `at`; empty behind its end.
    async fn part(&self, path: &Path, at: u64) -> Result<Bytes, BlobError> {
        let file = path.to_owned();
        let read = self.aside(move || {
            let (mut file, mut part) = (File::open(file)?, Vec::new());
            file.seek(SeekFrom::Start(at))?;
            file.take(PART as u64).read_to_end(&mut part)?;
            Ok(part.into())
        });
        read.await.map_err(BlobError::disk("reading", path))
    }

    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        aside(&*self.world, work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

/// A folder on this machine.
struct Folder {
    path: PathBuf,
    /// The folders within it that are sure to outlast a power cut: whoever finds one that another is just making must
    /// not rely on it.
    durable: Mutex<HashSet<PathBuf>>,
}

impl Folder {
    fn place(&self, sha256: Sha256) -> PathBuf {
        self.path.join(place(sha256).as_ref())
    }

    /// Moves a file to its place, durably.
    fn take(&self, from: &Path, sha256: Sha256) -> io::Result<()> {
        let to = self.place(sha256);
        let within = to.parent().unwrap_or(&self.path);
        let durable = || self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if !durable().contains(within) {
            std::fs::create_dir_all(within)?;
            File::open(&self.path)?.sync_all()?;
            durable().insert(within.to_owned());
        }
        std::fs::rename(from, &to)?;
        File::open(within)?.sync_all()
    }
}

fn place(sha256: Sha256) -> Place {
    let name = sha256.to_string();
    // Folders of at most a 256th of all photos stay quick to list.
    Place::from_iter([&name[..2], &name[2..]])
}

/// The file of a blob in a folder of blobs.
pub(crate) fn file_of(dir: &Path, sha256: Sha256) -> PathBuf {
    dir.join(place(sha256).as_ref())
}

/// The hash of a file's bytes, read from the disk and not from memory.
pub(crate) fn hash_back(path: &Path) -> io::Result<Found> {
    let file = File::open(path)?;
    from_disk(&file);
    look(file)
}

/// Asks the system to forget what it remembers of a file, so that it is read from the disk and not from memory, and to
/// begin with that.
fn from_disk(file: &File) {
    // Only advice: a file system that cannot forget still reads the right bytes.
    #[cfg(target_os = "linux")]
    for advice in [rustix::fs::Advice::DontNeed, rustix::fs::Advice::WillNeed] {
        let _ = rustix::fs::fadvise(file, 0, None, advice);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

#[derive(Default)]
struct Look {
    hasher: Hasher,
    head: Vec<u8>,
    bytes: u64,
}

impl Look {
    fn take(&mut self, piece: &[u8]) {
        let wanted = SNIFF_BYTES - self.head.len();
        self.head.extend_from_slice(&piece[..wanted.min(piece.len())]);
        self.hasher.update(piece);
        self.bytes += piece.len() as u64;
    }

    fn found(self) -> Found {
        let media_type = sniff(&self.head).media_type();
        Found { sha256: Sha256(self.hasher.finalize().into()), bytes: self.bytes, media_type }
    }
}

fn look(mut file: File) -> io::Result<Found> {
    let mut buffer = vec![0; READ];
    let mut look = Look::default();
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(look.found()),
            read => look.take(&buffer[..read]),
        }
    }
}

/// The crate's own stream reads files in pieces of 8 KiB, each on another thread: too slow for clips.
fn stream(found: GetResult, world: Arc<dyn World>) -> BoxStream<'static, io::Result<Bytes>> {
    let GetResult { payload, range, .. } = found;
    match payload {
        GetResultPayload::Stream(stream) => stream.map_err(io::Error::other).boxed(),
        GetResultPayload::File(file, _) => {
            let read = move |(mut file, at, end): (File, u64, u64)| {
                let world = Arc::clone(&world);
                async move {
                    let wanted = usize::try_from(end - at).unwrap_or(READ).min(READ);
                    if wanted == 0 {
                        return Ok(None);
                    }
                    let piece = aside(&*world, move || {
                        let mut piece = vec![0; wanted];
                        file.seek(SeekFrom::Start(at))?;
                        file.read_exact(&mut piece)?;
                        io::Result::Ok((file, piece))
                    });
                    let (file, piece) = piece.await.map_err(io::Error::other)??;
                    Ok(Some((Bytes::from(piece), (file, at + wanted as u64, end))))
                }
            };
            futures::stream::try_unfold((file, range.start, range.end), read).boxed()
        }
    }
}
