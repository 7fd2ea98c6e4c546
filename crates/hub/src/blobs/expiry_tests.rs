use super::*;
use crate::blobs::{BlobState, NewUpload, Piece};
use crate::store::sqlite::SqliteStore;
use crate::world::{RealWorld, World};
use bytes::Bytes;
use futures::channel::mpsc;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use standpipe_domain::ids::{DeviceId, PersonId};
use standpipe_oplog::chain::sha256;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use uuid::Uuid;

const TABLET: DeviceId = DeviceId(Uuid::from_u128(1));

/// A world in which a day is over when the test says so.
struct Days {
    now: AtomicI64,
    slept: Mutex<Vec<Duration>>,
    dawns: Arc<futures::lock::Mutex<mpsc::UnboundedReceiver<()>>>,
}

impl World for Days {
    fn now(&self) -> Millis {
        Millis(self.now.load(SeqCst))
    }

    fn uuid(&self) -> Uuid {
        RealWorld.uuid()
    }

    fn random(&self, bytes: &mut [u8]) {
        RealWorld.random(bytes);
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        // How long a connection may be silent is nothing to this test.
        if pause < EVERY {
            return RealWorld.sleep(pause);
        }
        self.slept.lock().unwrap().push(pause);
        let dawns = Arc::clone(&self.dawns);
        async move { dawns.lock().await.next().await.unwrap() }.boxed()
    }
}

async fn open() -> (TempDir, Arc<Days>, mpsc::UnboundedSender<()>, Blobs) {
    let dir = TempDir::new().unwrap();
    let (over, dawns) = mpsc::unbounded();
    let dawns = Arc::new(futures::lock::Mutex::new(dawns));
    let world = Arc::new(Days { now: AtomicI64::new(0), slept: Mutex::default(), dawns });
    let store = SqliteStore::open(&dir.path().join("hub.db"), world.clone()).await.unwrap();
    let blobs = Blobs::open(dir.path(), Arc::new(store), world.clone()).await.unwrap();
    (dir, world, over, blobs)
}

/// Begins an upload of `bytes` and sends the first `sent` of them, both at `now`.
async fn send(blobs: &Blobs, bytes: &[u8], sent: usize, now: Millis) -> Uuid {
    let new = NewUpload {
        sha256: sha256(bytes),
        bytes: bytes.len() as u64,
        thumbnail_of: None,
        by: PersonId(Uuid::nil()),
        metadata: String::new(),
    };
    let (id, _) = blobs.begin(TABLET, new, Uuid::now_v7(), now).await.unwrap();
    let piece = Piece { offset: 0, length: None, checksum: None };
    let body = stream::iter([Ok::<_, io::Error>(Bytes::copy_from_slice(&bytes[..sent]))]);
    blobs.append(TABLET, id.unwrap(), piece, body, now).await.unwrap();
    id.unwrap()
}

#[tokio::test]
async fn more_uploads_than_are_looked_at_in_one_go_are_given_up_too() {
    let (dir, _, _, blobs) = open().await;
    let many = AT_ONCE * 2 + 1;
    for n in 0..many {
        send(&blobs, format!("photo {n}").as_bytes(), 3, Millis(0)).await;
    }
    let kept = send(&blobs, b"a later photo", 3, Millis(1)).await;
    assert_eq!(blobs.give_up(Millis(LASTS - 1)).await.unwrap(), 0);
    assert_eq!(blobs.give_up(Millis(LASTS)).await.unwrap(), many as u64);
    let left = std::fs::read_dir(dir.path().join("uploads")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left, [kept.simple().to_string()]);
    assert_eq!(blobs.progress(TABLET, kept, Millis(LASTS)).await.unwrap().arrived, 3);
}

#[tokio::test]
async fn one_that_cannot_be_removed_does_not_keep_the_others() {
    let (dir, _, _, blobs) = open().await;
    let stuck = send(&blobs, b"stuck", 3, Millis(0)).await;
    let other = send(&blobs, b"other", 3, Millis(0)).await;
    let path = |id: Uuid| dir.path().join("uploads").join(id.simple().to_string());
    std::fs::remove_file(path(stuck)).unwrap();
    std::fs::create_dir(path(stuck)).unwrap();
    assert_eq!(blobs.give_up(Millis(LASTS)).await.unwrap(), 1);
    assert!(path(stuck).exists() && !path(other).exists());
}

#[tokio::test]
async fn one_whose_bytes_are_all_here_is_verified_and_not_given_up() {
    let (dir, _, _, blobs) = open().await;
    let whole = send(&blobs, b"whole", 3, Millis(0)).await;
    // As a full shelf leaves it: all has arrived, and could not be put in its place.
    std::fs::write(dir.path().join("uploads").join(whole.simple().to_string()), b"whole").unwrap();
    assert_eq!(blobs.give_up(Millis(LASTS)).await.unwrap(), 0);
    assert!(blobs.blob(sha256(b"whole")).await.unwrap().is_some());
}

#[tokio::test]
async fn the_hub_looks_again_every_day() {
    let (_dir, world, day, blobs) = open().await;
    let bytes = b"a photo";
    send(&blobs, bytes, 3, Millis(0)).await;
    let looking = blobs.clone();
    let looking = tokio::spawn(async move { looking.tidy().await });
    let slept = |times: usize| {
        let world = Arc::clone(&world);
        async move {
            let waited = async {
                while world.slept.lock().unwrap().len() < times {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), waited).await.expect("it looks, and sleeps");
        }
    };
    let state = async |now| blobs.states(&[sha256(bytes)], Millis(now)).await.unwrap()[&sha256(bytes)];
    slept(1).await;
    assert_eq!(state(0).await, BlobState::Partial, "nothing is over");
    world.now.store(LASTS, SeqCst);
    day.unbounded_send(()).unwrap();
    slept(2).await;
    // Asked as if it were not over: it is gone.
    assert_eq!(state(0).await, BlobState::Absent);
    assert_eq!(*world.slept.lock().unwrap(), [EVERY; 2]);
    looking.abort();
}
