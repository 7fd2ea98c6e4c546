//! How many bytes of an upload may be in memory or in the system's cache only. Reading the file back does not tell the
//! latter, so a process that receives is watched by `strace`.

use super::*;
use crate::blobs::turn::Turns;
use crate::world::RealWorld;
use futures::future::BoxFuture;
use futures::poll;
use futures::stream::{BoxStream, iter, pending};
use standpipe_domain::ids::Millis;
use std::convert::Infallible;
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::Poll;
use tempfile::TempDir;

const UPLOAD: Uuid = Uuid::from_u128(0x5e4d);
/// As they come out of a socket.
const PIECE: usize = 64 * 1024;
/// With a rest that fills no turn of the disk.
const PIECES: usize = 65;

fn pieces(count: usize) -> BoxStream<'static, Result<Bytes, Infallible>> {
    iter((0..count).map(|_| Ok(Bytes::from(vec![7; PIECE])))).boxed()
}

/// The process that is watched: it receives a little more than 4 MiB, which is all that there is to come.
#[tokio::test]
#[ignore = "the test below runs it, under strace"]
async fn receives_while_watched() {
    let folder = TempDir::new().unwrap();
    let (dir, world) = (folder.path().join("uploads"), Arc::new(RealWorld));
    let partials = Partials::open(dir, Duration::from_secs(60), world).unwrap();
    let mut turn = Turns::default().take(UPLOAD).await;
    let room = (PIECE * PIECES) as u64;
    let received = partials.receive(UPLOAD, room, pieces(PIECES), &mut turn).await.unwrap();
    assert_eq!((received.at, received.end), ((PIECE * PIECES) as u64, End::Whole));
}

#[test]
fn what_arrives_is_synced_at_every_quarter_of_a_mebibyte() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("calls");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-s", "0", "-e", "trace=write,fsync,fdatasync", "-o"]).arg(&log);
    strace.arg(std::env::current_exe().unwrap());
    strace.args(["--exact", "blobs::partial::tests::receives_while_watched", "--ignored", "--nocapture"]);
    let watched = strace.output().expect("strace is installed: make setup does it");
    assert!(watched.status.success(), "{}", String::from_utf8_lossy(&watched.stderr));

    let calls = std::fs::read_to_string(&log).unwrap();
    let name = UPLOAD.simple().to_string();
    let (mut syncs, mut waiting) = (Vec::new(), 0);
    for call in calls.lines().filter(|call| call.contains(&name)) {
        if call.contains("sync(") {
            syncs.push(std::mem::take(&mut waiting));
        } else {
            // What it was asked to write: what came of it may stand in a later line.
            let length =
                call.rsplit(", ").next().unwrap().split(|digit: char| !digit.is_ascii_digit()).next();
            waiting += length.unwrap().parse::<usize>().unwrap();
        }
    }
    let last = syncs.pop();
    assert_eq!((syncs, waiting), (vec![AT_ONCE; PIECES * PIECE / AT_ONCE - 1], 0));
    assert_eq!(last, Some(AT_ONCE + PIECE), "a rest that comes at once goes with what came before it");
}

/// A world in which time passes when told to, and in which work is done as soon as it is begun.
#[derive(Default)]
struct Prompt {
    millis: Arc<AtomicU64>,
    works: AtomicU64,
}

impl World for Prompt {
    fn now(&self) -> Millis {
        Millis(0)
    }

    fn uuid(&self) -> Uuid {
        RealWorld.uuid()
    }

    fn random(&self, bytes: &mut [u8]) {
        RealWorld.random(bytes);
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.millis.load(SeqCst))
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        let (millis, until) = (Arc::clone(&self.millis), self.elapsed() + pause);
        let is_over = move || Duration::from_millis(millis.load(SeqCst)) >= until;
        futures::future::poll_fn(move |_| if is_over() { Poll::Ready(()) } else { Poll::Pending }).boxed()
    }

    fn begin_aside(&self, work: Box<dyn FnOnce() + Send>) {
        self.works.fetch_add(1, SeqCst);
        work();
    }
}

#[tokio::test]
async fn what_came_before_a_stall_is_on_disk_though_little_was_missing() {
    // Of one turn of the disk and a rest, the rest is on its way; or half of it has come; or all, and not the end.
    for (came, whole) in [(4, 5), (5, 6), (5, 5), (12, 13)] {
        let (folder, world) = (TempDir::new().unwrap(), Arc::new(Prompt::default()));
        let dir = folder.path().join("uploads");
        let partials = Partials::open(dir, Duration::from_secs(60), world.clone()).unwrap();
        let mut turn = Turns::default().take(UPLOAD).await;
        let (room, body) = ((whole * PIECE) as u64, pieces(came).chain(pending()));
        let mut receiving = pin!(partials.receive(UPLOAD, room, body, &mut turn));
        let on_disk = || partials.len(UPLOAD).unwrap();
        let all = (came * PIECE) as u64;
        assert!(poll!(&mut receiving).is_pending());
        assert!(on_disk() < all, "it may come at once: {came} of {whole}");
        world.millis.fetch_add(49, SeqCst);
        assert!(poll!(&mut receiving).is_pending());
        assert!(on_disk() < all);
        world.millis.fetch_add(1, SeqCst);
        assert!(poll!(&mut receiving).is_pending());
        assert_eq!(on_disk(), all, "{came} of {whole}");
        world.millis.fetch_add(60_000, SeqCst);
        let Poll::Ready(Ok(received)) = poll!(&mut receiving) else { panic!("it was silent for long") };
        assert_eq!((received.at, received.end), (all, End::Cut));
    }
}

#[tokio::test]
async fn a_photo_that_comes_at_once_costs_one_turn_of_the_disk() {
    let (folder, world) = (TempDir::new().unwrap(), Arc::new(Prompt::default()));
    let dir = folder.path().join("uploads");
    let partials = Partials::open(dir, Duration::from_secs(60), world.clone()).unwrap();
    let mut turn = Turns::default().take(UPLOAD).await;
    let received = partials.receive(UPLOAD, (5 * PIECE) as u64, pieces(5), &mut turn).await.unwrap();
    assert_eq!((received.at, received.end), ((5 * PIECE) as u64, End::Whole));
    assert_eq!(world.works.load(SeqCst), 2, "the file is opened, and what came is made durable");
}
