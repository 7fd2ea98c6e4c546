//! A disk that is full in the middle of a fetch.

use super::fetching::{fetch, of_a_colleague};
use super::hub::Hub;
use super::tablet::Tablet;
use crate::store::blobs::Role;
use std::process::Command;
use std::{env, fs, process};

/// Says to a process that it is the one that runs out of room.
const CHILD: &str = "STANDPIPE_TEST_FULL_WHILE_FETCHING";

/// From here on the system refuses to make a file of this process any longer.
fn limit_files_to(bytes: &str) {
    let mut limit = Command::new("prlimit");
    limit.args(["--pid", &process::id().to_string(), &format!("--fsize={bytes}:")]);
    let done = crate::tests::run(&mut limit).unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn an_original_for_which_there_was_no_room_is_fetched_right_once_there_is() {
    if env::var_os(CHILD).is_none() {
        // The limit comes with a signal that would end the process; ignored, the write fails instead.
        let script = "trap '' XFSZ; exec \"$0\" --exact \
            sync::tests::full_disk::an_original_for_which_there_was_no_room_is_fetched_right_once_there_is";
        let mut bash = Command::new("bash");
        bash.args(["-c", script]).arg(env::current_exe().unwrap()).env(CHILD, "");
        let done = crate::tests::run(&mut bash).unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
        assert!(said.contains("1 passed"), "{said}");
        return;
    }
    let hub = Hub::start().await;
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let of = of_a_colleague(&hub, &bytes);
    hub.kept().verified.insert(of, bytes.clone());
    hub.kept().thumbnails.insert(of, b"small".to_vec());
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            // No number of whole pieces, so that one is cut in the middle.
            limit_files_to("1500001");
            assert_eq!(fetch(tablet, of).await.unwrap_err().code(), "disk-full");
            limit_files_to("unlimited");
            fetch(tablet, of).await.unwrap();
            assert!(fs::read(tablet.store.vault().path(of, Role::Original)).unwrap() == bytes);
        })
        .await;
}
