//! Photos on their way to the office: the wire of tus 1.0.0, and everything that can go wrong on it.

use crate::office::{Office, is, problem};
use crate::tablet::{Tablet, number, place};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use serde_json::Value;
use standpipe_domain::ids::Sha256;
use standpipe_hub::blobs::MAX_THUMBNAIL;
use standpipe_oplog::chain::sha256;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uuid::Uuid;

/// Bytes that begin as a JPEG does and differ from one `seed` to another.
pub fn photo(seed: u8, length: usize) -> Vec<u8> {
    let body = (0..=250).cycle().map(|byte: u8| byte ^ seed);
    [0xff, 0xd8, 0xff, 0xe0].into_iter().chain(body).take(length).collect()
}

/// Where the hub keeps a whole photo.
pub fn shelf(office: &Office, hash: Sha256) -> PathBuf {
    let name = hash.to_string();
    office.dir().join("blobs").join(&name[..2]).join(&name[2..])
}

pub fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let inside = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(|entry| inside(entry.unwrap().path())).collect()
}

#[tokio::test]
async fn a_photo_goes_up_in_pieces_and_is_verified_with_its_last_byte() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(1, 700_000);
    let hash = sha256(&photo);
    assert_eq!(tablet.state(hash).await, "absent");

    let opened = tablet.create(hash, 700_000, "").await;
    assert_eq!(opened.headers()["tus-resumable"], "1.0.0");
    let place = place(&opened);
    let head = tablet.ask(Method::HEAD, &place).send().await.unwrap();
    assert_eq!((number(&head, "upload-offset"), number(&head, "upload-length")), (0, 700_000));
    assert_eq!(head.headers()["cache-control"], "no-store");

    let first = tablet.send(&place, 0, &photo[..300_000]).await;
    assert_eq!((first.status().as_u16(), number(&first, "upload-offset")), (204, 300_000));
    assert!(!first.headers().contains_key("standpipe-blob"), "nothing is confirmed yet");
    assert_eq!(tablet.state(hash).await, "partial");
    assert_eq!(tablet.offset(&place).await, 300_000);

    let last = tablet.send(&place, 300_000, &photo[300_000..]).await;
    assert_eq!(last.headers()["standpipe-blob"], "verified");
    assert_eq!(tablet.state(hash).await, "verified");
    assert_eq!(std::fs::read(shelf(&office, hash)).unwrap(), photo);
    assert_eq!(files(&office.dir().join("uploads")), Vec::<PathBuf>::new());

    let back = tablet.ask(Method::GET, &format!("/blobs/{hash}/original")).send().await.unwrap();
    assert_eq!(back.bytes().await.unwrap(), photo);
}

#[tokio::test]
async fn bytes_go_up_along_with_the_announcement() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let along = async |photo: &[u8], bytes: &[u8]| {
        let answer = tablet.announce(photo, bytes).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let is_verified = answer.headers().get("standpipe-blob").is_some_and(|blob| blob == "verified");
        (number(&answer, "upload-offset"), is_verified, place(&answer))
    };

    let small = photo(31, 5_000);
    let (at, is_verified, place) = along(&small, &small).await;
    assert_eq!((at, is_verified), (5_000, true), "one request is enough");
    assert_eq!(std::fs::read(shelf(&office, sha256(&small))).unwrap(), small);
    assert_eq!(tablet.offset(&place).await, 5_000);
    assert_eq!(along(&small, &small).await, (5_000, true, place), "what is here is passed over");

    let large = photo(32, 700_000);
    let (at, is_verified, place) = along(&large, &large[..300_000]).await;
    assert_eq!((at, is_verified), (300_000, false));
    assert_eq!(
        along(&large, &large[..100]).await,
        (300_000, false, place.clone()),
        "it goes on from where it is"
    );
    assert_eq!(tablet.send(&place, 300_000, &large[300_000..]).await.headers()["standpipe-blob"], "verified");

    let spoilt = photo(33, 1_000);
    let request = tablet.announce(&spoilt, &spoilt);
    let wrong = format!("sha256 {}", BASE64.encode(sha256(&small).0));
    let answer = request.header("Upload-Checksum", wrong).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), number(&answer, "upload-offset")),
        (201, 0),
        "nothing of it counts"
    );
    assert!(along(&spoilt, &spoilt).await.1);

    let (promised, other) = (photo(34, 1_000), photo(35, 1_000));
    let answer = tablet.announce(&promised, &other).send().await.unwrap();
    assert_eq!(problem(answer).await, is(422, "hash-mismatch"));
    let answer = tablet.announce(&promised, &photo(34, 1_001)).send().await.unwrap();
    assert_eq!(problem(answer).await, is(413, "beyond-length"));
    assert_eq!(files(&office.dir().join("blobs")).len(), 3);
}

#[tokio::test]
async fn an_announcement_that_comes_again_while_the_first_is_worked_at_finds_the_photo() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    for seed in 40..60 {
        let photo = photo(seed, 300_000);
        // The third sends no bytes, as a tablet whose line broke at the first.
        let (one, other) = (tablet.announce(&photo, &photo), tablet.announce(&photo, &photo));
        let third = tablet.announce(&photo, b"");
        let (one, other, third) = tokio::join!(one.send(), other.send(), third.send());
        for answer in [one, other, third] {
            let answer = answer.unwrap();
            assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
        }
        assert_eq!(tablet.state(sha256(&photo)).await, "verified");
    }
}

#[tokio::test]
async fn a_piece_at_another_offset_is_refused_and_told_where_to_go_on() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(2, 1_000);
    let place = tablet.begin(&photo).await;
    tablet.send(&place, 0, &photo[..400]).await;
    for offset in [0, 399, 401, 1_000] {
        let answer = tablet.send(&place, offset, &photo[400..500]).await;
        assert_eq!(answer.status(), 409);
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["code"], &body["details"]["offset"]), (&"wrong-offset".into(), &400.into()));
    }
    assert_eq!(tablet.offset(&place).await, 400);
}

#[tokio::test]
async fn a_piece_with_another_checksum_is_dropped_alone() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(3, 1_000);
    let place = tablet.begin(&photo).await;
    tablet.send(&place, 0, &photo[..400]).await;

    let sum = |bytes: &[u8]| format!("sha256 {}", BASE64.encode(sha256(bytes).0));
    let rest = &photo[400..];
    let wrong =
        tablet.piece(&place, 400, rest).header("Upload-Checksum", sum(b"other")).send().await.unwrap();
    assert_eq!(problem(wrong).await, is(460, "checksum-mismatch"));
    assert_eq!(tablet.offset(&place).await, 400);
    // SHA-1 of the rest, and of something else; what the tus protocol asks of every server.
    for (sum, refused) in [("lFv1Xft01LWL8+hwPeVblJ+VElk=", true), ("+F7iWWaQPwLuAtUVVExAo2dDVzQ=", false)] {
        let sum = format!("sha1 {sum}");
        let answer =
            tablet.piece(&place, 400, &rest[..100]).header("Upload-Checksum", sum).send().await.unwrap();
        assert_eq!(answer.status() == 460, refused);
        assert_eq!(tablet.offset(&place).await, if refused { 400 } else { 500 });
    }
    let rest = &photo[500..];
    let unknown = tablet.piece(&place, 500, rest).header("Upload-Checksum", "md5 AAAA").send().await.unwrap();
    assert_eq!(problem(unknown).await, is(400, "wrong-checksum"));
    let right = tablet.piece(&place, 500, rest).header("Upload-Checksum", sum(rest)).send().await.unwrap();
    assert_eq!(right.headers()["standpipe-blob"], "verified");
}

/// Sends the head of a request for all of `photo` and then its first `sent` bytes.
async fn send_part(
    office: &Office,
    tablet: &Tablet<'_>,
    place: &str,
    photo: &[u8],
    sent: usize,
) -> TcpStream {
    let mut wire = TcpStream::connect(office.address).await.unwrap();
    let head = format!(
        "PATCH /api/v1{place} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\n\
         Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
        office.address,
        tablet.token,
        photo.len()
    );
    wire.write_all(head.as_bytes()).await.unwrap();
    wire.write_all(&photo[..sent]).await.unwrap();
    wire
}

/// How far the hub is, once it has noticed the request at all: that one came on another connection.
async fn arrived(tablet: &Tablet<'_>, place: &str) -> u64 {
    let noticed = async {
        loop {
            match tablet.offset(place).await {
                0 => {}
                offset => break offset,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), noticed).await.expect("something arrives")
}

#[tokio::test]
async fn a_cut_connection_keeps_every_byte_that_arrived() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(4, 1_000_000);
    let place = tablet.begin(&photo).await;
    let mut wire = send_part(&office, &tablet, &place, &photo, 500_000).await;
    wire.shutdown().await.unwrap();
    drop(wire);
    assert_eq!(arrived(&tablet, &place).await, 500_000);
    let rest = tablet.send(&place, 500_000, &photo[500_000..]).await;
    assert_eq!(rest.headers()["standpipe-blob"], "verified");
}

#[tokio::test]
async fn a_tablet_that_comes_back_does_not_wait_for_its_dead_connection() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(5, 1_000_000);
    let place = tablet.begin(&photo).await;
    // Nothing says that this connection is dead: it just never speaks again.
    let _silent = send_part(&office, &tablet, &place, &photo, 600_000).await;
    assert_eq!(arrived(&tablet, &place).await, 600_000);
    let rest = tablet.send(&place, 600_000, &photo[600_000..]).await;
    assert_eq!(rest.headers()["standpipe-blob"], "verified");
}

#[tokio::test]
async fn an_upload_goes_on_after_the_hub_was_restarted() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let (token, photo) = (tablet.token.clone(), photo(6, 100_000));
    let place = tablet.begin(&photo).await;
    tablet.send(&place, 0, &photo[..60_000]).await;
    let stray = office.dir().join("uploads").join("0".repeat(32));
    std::fs::write(&stray, b"of an upload that ended").unwrap();

    let office = office.restart().await;
    assert!(!stray.exists());
    let ask = |method| {
        let request = office.ask(method, &format!("/api/v1{place}")).bearer_auth(&token);
        request.header("Tus-Resumable", "1.0.0")
    };
    let head = ask(Method::HEAD).send().await.unwrap();
    assert_eq!(number(&head, "upload-offset"), 60_000);
    let rest = ask(Method::PATCH).header("Upload-Offset", 60_000);
    let rest = rest.header("Content-Type", "application/offset+octet-stream").body(photo[60_000..].to_vec());
    assert_eq!(rest.send().await.unwrap().headers()["standpipe-blob"], "verified");
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_same_bytes_are_taken_once_there_is_room() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(41, 300_000);
    let place = tablet.begin(&photo).await;
    let id: Uuid = place.rsplit('/').next().unwrap().parse().unwrap();
    let file = office.dir().join("uploads").join(id.simple().to_string());
    // A disk that has no room for a single byte.
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    assert_eq!(problem(tablet.send(&place, 0, &photo).await).await, is(507, "hub-full"));
    assert_eq!(tablet.offset(&place).await, 0, "nothing of it arrived");
    std::fs::remove_file(file).unwrap();
    assert_eq!(tablet.send(&place, 0, &photo).await.headers()["standpipe-blob"], "verified");
}

#[tokio::test]
async fn bytes_with_another_hash_are_dropped_and_the_upload_begins_again() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let (meant, sent) = (photo(7, 5_000), photo(8, 5_000));
    let place = tablet.begin(&meant).await;
    assert_eq!(problem(tablet.send(&place, 0, &sent).await).await, is(422, "hash-mismatch"));
    let gone = tablet.ask(Method::HEAD, &place).send().await.unwrap();
    assert_eq!(gone.status(), 404);
    assert_eq!(tablet.state(sha256(&meant)).await, "absent");
    assert_eq!(tablet.state(sha256(&sent)).await, "absent");
    assert_eq!(files(&office.dir().join("blobs")), Vec::<PathBuf>::new());
    assert_eq!(files(&office.dir().join("uploads")), Vec::<PathBuf>::new());
    assert_eq!(tablet.upload(&meant).await, sha256(&meant));
    assert_eq!(tablet.state(sha256(&meant)).await, "verified");
}

#[tokio::test]
async fn a_photo_that_is_here_is_never_sent_nor_stored_twice() {
    let office = Office::open().await;
    let (one, other) = (Tablet::enrol(&office).await, Tablet::enrol(&office).await);
    let photo = photo(9, 5_000);
    let hash = one.upload(&photo).await;
    for tablet in [&one, &other] {
        let again = tablet.create(hash, 5_000, "").await;
        assert_eq!(number(&again, "upload-offset"), 5_000);
        let place = place(&again);
        assert_eq!(again.json::<Value>().await.unwrap()["state"], "verified");
        assert_eq!(tablet.offset(&place).await, 5_000, "its place says that there is nothing to send");
    }
    assert_eq!(files(&office.dir().join("blobs")), [shelf(&office, hash)]);
}

#[tokio::test]
async fn two_tablets_send_the_same_photo_without_spoiling_each_others_upload() {
    let office = Office::open().await;
    let (one, other) = (Tablet::enrol(&office).await, Tablet::enrol(&office).await);
    let photo = photo(10, 5_000);
    let (here, there) = (one.begin(&photo).await, other.begin(&photo).await);
    assert_ne!(here, there);
    one.send(&here, 0, &photo[..2_000]).await;
    assert_eq!(one.begin(&photo).await, here, "asking again finds what was begun");
    assert_eq!(one.offset(&here).await, 2_000);
    assert_eq!(problem(other.send(&here, 2_000, b"nonsense").await).await, is(404, "unknown-upload"));
    assert_eq!(other.offset(&there).await, 0);

    assert_eq!(other.send(&there, 0, &photo).await.headers()["standpipe-blob"], "verified");
    assert_eq!(one.state(sha256(&photo)).await, "verified");
    let rest = one.send(&here, 2_000, &photo[2_000..3_000]).await;
    assert_eq!(rest.status(), 204, "whoever comes second is not refused");
    assert_eq!(one.offset(&here).await, 5_000, "and need not send the rest");
    assert_eq!(files(&office.dir().join("uploads")), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn names_that_are_no_hash_reach_no_file() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    std::fs::write(office.dir().join("uploads/secret"), b"x").unwrap();
    for name in ["..%2f..%2fhub.db", "%2e%2e%2fhub.db", "secret", "..", "hub.db", "%00", &"A".repeat(64)] {
        for (method, path) in [
            (Method::HEAD, format!("/blobs/{name}")),
            (Method::PATCH, format!("/blobs/{name}")),
            (Method::DELETE, format!("/blobs/{name}")),
            (Method::GET, format!("/blobs/{name}/original")),
            (Method::GET, format!("/evidence/{name}/original")),
        ] {
            let request = tablet.ask(method.clone(), &path).header("Upload-Offset", 0);
            let request = request.header("Content-Type", "application/offset+octet-stream").body("x");
            let status = request.send().await.unwrap().status();
            assert!(status.is_client_error(), "{method} {path}: {status}");
        }
    }
    let metadata = format!("sha256 {}", BASE64.encode("../../../../etc/passwd"));
    let request = tablet.ask(Method::POST, "/blobs").header("Upload-Length", 1);
    let answer = request.header("Upload-Metadata", metadata).send().await.unwrap();
    assert_eq!(problem(answer).await, is(400, "malformed"));
    assert!(office.dir().join("uploads/secret").exists() && office.dir().join("hub.db").exists());
}

#[tokio::test]
async fn what_is_too_large_or_not_as_the_protocol_says_is_refused_with_its_reason() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(11, 100);
    let hash = sha256(&photo);

    let large = tablet.create(hash, (4 << 30) + 1, "").await;
    assert_eq!(large.status(), 413);
    let body: Value = large.json().await.unwrap();
    assert_eq!((&body["code"], &body["details"]["limit"]), (&"too-large".into(), &(4_u64 << 30).into()));

    let place = tablet.begin(&photo).await;
    let long = tablet.send(&place, 0, &[0; 101]).await;
    assert_eq!(problem(long).await, is(413, "beyond-length"));
    let untyped =
        tablet.ask(Method::PATCH, &place).header("Upload-Offset", 0).body("x").send().await.unwrap();
    assert_eq!(problem(untyped).await, is(415, "wrong-content-type"));
    let minus = tablet.ask(Method::PATCH, &place).header("Upload-Offset", "-1");
    let minus = minus.header("Content-Type", "application/offset+octet-stream").body("x");
    assert_eq!(problem(minus.send().await.unwrap()).await, is(400, "malformed"));
    let old = office.ask(Method::HEAD, &format!("/api/v1{place}")).bearer_auth(&tablet.token);
    assert_eq!(old.send().await.unwrap().status(), 412);
    assert_eq!(tablet.offset(&place).await, 0);

    let no_length = tablet.ask(Method::POST, "/blobs").send().await.unwrap();
    assert_eq!(problem(no_length).await, is(400, "malformed"));
    let options = tablet.ask(Method::OPTIONS, "/blobs").send().await.unwrap();
    assert_eq!(
        options.headers()["tus-extension"],
        "creation,creation-with-upload,checksum,expiration,termination"
    );
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(12, 1_000);
    let place = tablet.begin(&photo).await;
    tablet.send(&place, 0, &photo[..10]).await;
    let ended = tablet.ask(Method::DELETE, &place).send().await.unwrap();
    assert_eq!(ended.status(), 204);
    assert_eq!(tablet.state(sha256(&photo)).await, "absent");
    assert_eq!(files(&office.dir().join("uploads")), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn an_empty_blob_is_there_as_soon_as_it_is_begun() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let opened = tablet.create(sha256(b""), 0, "").await;
    assert_eq!(opened.json::<Value>().await.unwrap()["state"], "verified");
    assert_eq!(tablet.state(sha256(b"")).await, "verified");
}

#[tokio::test]
async fn one_thumbnail_may_belong_to_two_originals() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let (one, other, small) = (sha256(b"one"), sha256(b"other"), photo(13, 500));
    let of =
        |hash: Sha256| format!(",role {},of {}", BASE64.encode("thumbnail"), BASE64.encode(hash.to_string()));
    let opened = tablet.create(sha256(&small), 500, &of(one)).await;
    let thumb = |hash: Sha256| tablet.ask(Method::GET, &format!("/blobs/{hash}/thumb")).send();
    assert_eq!(thumb(one).await.unwrap().status(), 404);
    tablet.send(&place(&opened), 0, &small).await;
    assert_eq!(thumb(one).await.unwrap().bytes().await.unwrap(), small);
    assert_eq!(problem(thumb(other).await.unwrap()).await, is(404, "unknown"));
    let opened = tablet.create(sha256(&small), 500, &of(other)).await;
    assert_eq!(opened.json::<Value>().await.unwrap()["state"], "verified");
    assert_eq!(thumb(other).await.unwrap().bytes().await.unwrap(), small);
}

#[tokio::test]
async fn what_is_too_large_for_a_thumbnail_is_none_whenever_it_is_named() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let large = photo(14, usize::try_from(MAX_THUMBNAIL).unwrap() + 1);
    let small = photo(15, 500);
    let (one, other) = (sha256(b"one"), sha256(b"other"));
    let of =
        |hash: Sha256| format!(",role {},of {}", BASE64.encode("thumbnail"), BASE64.encode(hash.to_string()));
    let thumb = |hash: Sha256| tablet.ask(Method::GET, &format!("/blobs/{hash}/thumb")).send();
    // Named before its bytes are there, of which it says that they are few.
    assert_eq!(tablet.create(sha256(&large), 1_000, &of(one)).await.status(), 201);
    tablet.upload(&large).await;
    assert_eq!(problem(thumb(one).await.unwrap()).await, is(404, "unknown"));
    // And once they are there.
    assert_eq!(problem(tablet.create(sha256(&large), 1_000, &of(other)).await).await, is(413, "too-large"));
    // What may be one takes its place.
    let opened = tablet.create(sha256(&small), 500, &of(one)).await;
    tablet.send(&place(&opened), 0, &small).await;
    assert_eq!(thumb(one).await.unwrap().bytes().await.unwrap(), small);
}
