//! How many bytes of an upload may be in the system's cache only. Reading the file back does not tell, so a process that
//! receives is watched by `strace`.

use super::*;
use crate::blobs::turn::Turns;
use crate::world::RealWorld;
use futures::stream::iter;
use std::convert::Infallible;
use std::process::Command;
use tempfile::TempDir;

const UPLOAD: Uuid = Uuid::from_u128(0x5e4d);
/// As they come out of a socket.
const PIECE: usize = 64 * 1024;
const PIECES: usize = 64;

/// The process that is watched: it receives 4 MiB.
#[tokio::test]
#[ignore = "the test below runs it, under strace"]
async fn receives_while_watched() {
    let folder = TempDir::new().unwrap();
    let (dir, world) = (folder.path().join("uploads"), Arc::new(RealWorld));
    let partials = Partials::open(dir, Duration::from_secs(60), world).unwrap();
    let mut turn = Turns::default().take(UPLOAD).await;
    let body = iter((0..PIECES).map(|_| Ok::<_, Infallible>(Bytes::from(vec![7; PIECE]))));
    let received = partials.receive(UPLOAD, u64::MAX, body, &mut turn).await.unwrap();
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
    let (mut synced, mut waiting, mut most) = (0, 0, 0);
    for call in calls.lines().filter(|call| call.contains(&name)) {
        if call.contains("sync(") {
            (synced, waiting) = (synced + waiting, 0);
        } else {
            // What it was asked to write: what came of it may stand in a later line.
            let length =
                call.rsplit(", ").next().unwrap().split(|digit: char| !digit.is_ascii_digit()).next();
            waiting += length.unwrap().parse::<usize>().unwrap();
            most = most.max(waiting);
        }
    }
    assert_eq!((synced, waiting), (PIECE * PIECES, 0), "all of it is on disk in the end");
    assert!(most <= AT_ONCE, "{most} bytes stood in the cache only");
}
