//! A client of tus that was not written for Standpipe, as a process of its own: `tus-js-client` under node.

use crate::office::Office;
use crate::tablet::{Tablet, number};
use crate::upload::{files, photo};
use reqwest::Method;
use standpipe_oplog::chain::sha256;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

const BYTES: usize = 5_000_000;

/// Lets the foreign client send a file, in one of the ways that it knows.
async fn send(office: &Office, tablet: &Tablet<'_>, file: &Path, how: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/foreign.mjs");
    let mut client = tokio::process::Command::new("node");
    client.arg(script).args([&office.url("/api/v1/blobs"), &tablet.token]);
    client.arg(file).arg(file.parent().unwrap()).arg(how).kill_on_drop(true);
    client.output().await.expect("node runs; `make setup` installs the client")
}

/// What it said, and what it said last of the pieces that were taken.
fn said(output: &Output) -> (String, u64) {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut accepted =
        text.lines().filter_map(|line| line.strip_prefix("accepted ")?.split(' ').nth(1)?.parse().ok());
    let accepted = accepted.next_back().unwrap_or(0);
    (text + &String::from_utf8_lossy(&output.stderr), accepted)
}

async fn upload_survives_the_death_of_its_client(seed: u8, how: &str) {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let folder = TempDir::new().unwrap();
    let (file, bytes) = (folder.path().join("photo.jpg"), photo(seed, BYTES));
    std::fs::write(&file, &bytes).unwrap();
    let hash = sha256(&bytes);

    let died = send(&office, &tablet, &file, "die").await;
    let (text, accepted) = said(&died);
    assert_eq!(died.status.signal(), Some(9), "it died in the middle: {text}");
    assert_eq!(accepted, 1 << 20, "{text}");
    let at = text.lines().find_map(|line| line.strip_prefix("at ")).expect("a place");
    let place = at.strip_prefix(&office.url("/api/v1")).unwrap();
    let head = tablet.ask(Method::HEAD, place).send().await.unwrap();
    let arrived = number(&head, "upload-offset");
    assert!(arrived > 1 << 20, "also of the piece that was cut: {arrived}");
    assert!(arrived < BYTES as u64);
    let metadata = head.headers()["upload-metadata"].to_str().unwrap();
    assert!(metadata.starts_with("filename "), "what it said is told again: {metadata}");

    let resumed = send(&office, &tablet, &file, how).await;
    let (text, accepted) = said(&resumed);
    assert!(resumed.status.success() && text.contains("begun 1") && text.contains("done"), "{text}");
    assert_eq!(accepted, BYTES as u64);
    assert_eq!(tablet.state(hash).await, "verified");
    let back = tablet.ask(Method::GET, &format!("/blobs/{hash}/original")).send().await.unwrap();
    assert!(back.bytes().await.unwrap() == bytes, "every byte is there");
    assert_eq!(files(&office.dir().join("uploads")).len(), 0);

    let again = send(&office, &tablet, &file, how).await;
    let (text, _) = said(&again);
    assert!(again.status.success() && text.contains("done"), "what is here need not be sent: {text}");
}

#[tokio::test]
async fn an_upload_of_a_foreign_client_goes_on_after_the_client_died() {
    upload_survives_the_death_of_its_client(1, "resume").await;
}

#[tokio::test]
async fn so_does_one_behind_something_that_lets_only_post_through() {
    upload_survives_the_death_of_its_client(2, "tunnel").await;
}

#[tokio::test]
async fn a_foreign_client_may_send_the_first_piece_along_with_the_announcement() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let folder = TempDir::new().unwrap();
    for (name, bytes) in [("large.jpg", photo(4, BYTES)), ("small.jpg", photo(5, 1_000))] {
        let file = folder.path().join(name);
        std::fs::write(&file, &bytes).unwrap();
        let sent = send(&office, &tablet, &file, "along").await;
        let (text, accepted) = said(&sent);
        assert!(sent.status.success() && text.contains("done"), "{text}");
        assert_eq!(accepted, bytes.len() as u64);
        assert_eq!(tablet.state(sha256(&bytes)).await, "verified");
    }
}

#[tokio::test]
async fn a_foreign_client_that_names_no_hash_is_told_what_is_missing() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("photo.jpg");
    std::fs::write(&file, photo(3, 1_000)).unwrap();
    let refused = send(&office, &tablet, &file, "blind").await;
    let (text, _) = said(&refused);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(text.contains("failed 400") && text.contains("a SHA-256 named sha256"), "{text}");
}
