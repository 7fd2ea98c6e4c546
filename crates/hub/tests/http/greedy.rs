//! A tablet that takes without end: what has ended takes room too, names take room, and so does what was set aside. Each
//! is told when it may go on, loses nothing, and holds nobody else up.

use crate::office::{Office, is, problem};
use crate::tablet::{Stop, Tablet, place};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Response;
use rusqlite::Connection;
use serde_json::{Value, json};
use standpipe_domain::ids::Sha256;
use standpipe_hub::blobs::{ALLOWANCE, MAX_BLOB, Share};
use standpipe_hub::ingest::Room;
use standpipe_oplog::chain::sha256;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Status, code and seconds to wait of a refusal, which stand in the header too.
async fn refusal(answer: Response) -> (u16, String, u64) {
    let status = answer.status().as_u16();
    let header =
        answer.headers().get("retry-after").map_or(0, |wait| wait.to_str().unwrap().parse().unwrap());
    let body: Value = answer.json().await.expect("a refusal is JSON");
    assert_eq!(body["details"]["wait_seconds"].as_u64().unwrap_or(0), header);
    (status, body["code"].as_str().expect("a code").to_owned(), header)
}

fn told(status: u16, code: &str, wait: u64) -> (u16, String, u64) {
    (status, code.to_owned(), wait)
}

fn tiny(n: u64) -> [u8; 8] {
    n.to_be_bytes()
}

/// Announces a thumbnail of an original that nobody recorded.
async fn name(tablet: &Tablet<'_>, original: u64, thumbnail: Sha256, bytes: u64) -> Response {
    let of = BASE64.encode(sha256(format!("original {original}").as_bytes()).to_string());
    tablet.create(thumbnail, bytes, &format!(",role {},of {of}", BASE64.encode("thumbnail"))).await
}

/// How many thumbnails have a name.
fn names(office: &Office) -> u64 {
    let conn = Connection::open(office.dir().join("hub.db")).unwrap();
    conn.query_row("SELECT count(*) FROM thumbnail", [], |row| row.get(0)).unwrap()
}

async fn open(announced: u32) -> Office {
    Office::open_allowing(Share { announced, ..Share::default() }, Room::default()).await
}

#[tokio::test]
async fn tiny_photos_without_end_come_at_a_pace_and_others_do_not_wait() {
    let office = open(3).await;
    let (tablet, other) = (Tablet::enrol(&office).await, Tablet::enrol(&office).await);
    for n in 0..3 {
        tablet.upload(&tiny(n)).await;
    }
    let refused = tablet.create(sha256(&tiny(3)), 8, "").await;
    assert_eq!(refusal(refused).await, told(429, "too-fast", 1), "though none of them is under way");
    assert_eq!(tablet.state(sha256(&tiny(3))).await, "absent");
    other.upload(&tiny(100)).await;
    // What is here is told as often as somebody asks.
    for _ in 0..9 {
        assert_eq!(tablet.create(sha256(&tiny(100)), 8, "").await.status(), 201);
    }
    office.world.advance(1_000);
    tablet.upload(&tiny(3)).await;
    assert_eq!(tablet.create(sha256(&tiny(4)), 8, "").await.status(), 429);
}

#[tokio::test]
async fn names_of_thumbnails_without_end_come_at_a_pace() {
    let office = open(4).await;
    let tablet = Tablet::enrol(&office).await;
    let before = names(&office);
    // One small picture, sent once, as the thumbnail of ever more originals.
    let picture = b"\x89PNG\r\n\x1a\n, a picture as far as anybody looks";
    let hash = tablet.upload(picture).await;
    for n in 0..3 {
        assert_eq!(name(&tablet, n, hash, picture.len() as u64).await.status(), 201);
    }
    let refused = name(&tablet, 3, hash, picture.len() as u64).await;
    assert_eq!(refusal(refused).await, told(429, "too-fast", 1));
    assert_eq!(names(&office) - before, 3);
    // One that has its name is told again as often as somebody asks, after an answer that was lost.
    for _ in 0..9 {
        assert_eq!(name(&tablet, 0, hash, picture.len() as u64).await.status(), 201);
    }
}

#[tokio::test]
async fn a_thumbnail_that_is_not_taken_leaves_no_name() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    for n in 0..ALLOWANCE.bytes / MAX_BLOB {
        assert_eq!(tablet.create(sha256(&tiny(n)), MAX_BLOB, "").await.status(), 201, "{n}");
    }
    let before = names(&office);
    let refused = name(&tablet, 0, sha256(b"a thumbnail"), 11).await;
    assert_eq!(refusal(refused).await, told(429, "too-many-uploads", 60));
    assert_eq!(names(&office), before);
}

/// A piece whose bytes come one by one.
struct Dribble(TcpStream);

impl Dribble {
    /// Announces a piece of 8 bytes. Gives the status of the first answer: 100 once the hub waits for the bytes.
    async fn begin(office: &Office, tablet: &Tablet<'_>, place: &str) -> (u16, Self) {
        let headers =
            "Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n";
        Self::request(office, tablet, &format!("PATCH /api/v1{place}"), headers).await
    }

    /// As [`Dribble::begin`], for any request.
    async fn request(office: &Office, tablet: &Tablet<'_>, what: &str, headers: &str) -> (u16, Self) {
        let mut wire = TcpStream::connect(office.address).await.unwrap();
        let head = format!(
            "{what} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{headers}Content-Length: 8\r\n\
             Expect: 100-continue\r\nConnection: close\r\n\r\n",
            office.address, tablet.token
        );
        wire.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(wire.read_u8().await.expect("an answer"));
        }
        (status(&answer), Self(wire))
    }

    async fn byte(&mut self, byte: u8) {
        self.0.write_all(&[byte]).await.unwrap();
    }

    /// Status and code of the answer.
    async fn end(mut self) -> (u16, String) {
        let mut answer = Vec::new();
        self.0.read_to_end(&mut answer).await.unwrap();
        let body = String::from_utf8(answer.clone()).unwrap();
        let body: Value = serde_json::from_str(body.split_once("\r\n\r\n").unwrap().1).unwrap();
        (status(&answer), body["code"].as_str().unwrap().to_owned())
    }
}

fn status(answer: &[u8]) -> u16 {
    std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_byte_a_minute_is_cut_and_kept() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let at = tablet.begin(&tiny(7)).await;
    let (status, mut slow) = Dribble::begin(&office, &tablet, &at).await;
    assert_eq!(status, 100);
    slow.byte(0).await;
    office.world.advance(61_000);
    slow.byte(0).await;
    let answer = tokio::time::timeout(Duration::from_secs(20), slow.end());
    assert_eq!(answer.await.expect("the hub puts an end to it"), is(409, "interrupted"));
    // The hub may have heard of the first byte only after the minute.
    let arrived = tablet.offset(&at).await;
    assert!((1..=2).contains(&arrived), "{arrived}");
    let rest = &tiny(7)[usize::try_from(arrived).unwrap()..];
    assert_eq!(tablet.send(&at, arrived, rest).await.status(), 204);
    assert_eq!(tablet.state(sha256(&tiny(7))).await, "verified");
}

#[tokio::test]
async fn records_that_hardly_come_are_cut_and_none_of_them_is_kept() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    for (what, headers) in [
        ("POST /api/v1/sync/push", ""),
        ("POST /api/v1/sync/return", ""),
        ("POST /api/v1/sync/offer", "Content-Type: application/json\r\n"),
        ("POST /api/v1/blobs/status", "Content-Type: application/json\r\n"),
        ("POST /api/v1/session", "Content-Type: application/json\r\nStandpipe-Client: console\r\n"),
    ] {
        let (status, mut slow) = Dribble::request(&office, &tablet, what, headers).await;
        assert_eq!(status, 100, "{what}");
        slow.byte(0).await;
        office.world.advance(61_000);
        slow.byte(0).await;
        office.world.advance(61_000);
        slow.byte(0).await;
        let answer = tokio::time::timeout(Duration::from_secs(20), slow.end());
        assert_eq!(answer.await.expect("the hub puts an end to it"), is(408, "too-slow"), "{what}");
    }
}

#[tokio::test]
async fn no_tablet_holds_more_than_its_share_of_connections() {
    let office = Office::open().await;
    let (tablet, other) = (Tablet::enrol(&office).await, Tablet::enrol(&office).await);
    let most = Share::default().sending as u64;
    let (mut slow, mut places) = (Vec::new(), Vec::new());
    for n in 0..most {
        places.push(tablet.begin(&tiny(n)).await);
        let (status, one) = Dribble::begin(&office, &tablet, places.last().unwrap()).await;
        assert_eq!(status, 100, "{n}");
        slow.push(one);
    }
    let next = tablet.begin(&tiny(most)).await;
    assert_eq!(refusal(tablet.send(&next, 0, &tiny(most)).await).await, told(429, "too-many-at-once", 60));
    other.upload(&tiny(most)).await;
    // A tablet that goes on with one of them takes it over, and makes room for the next.
    assert_eq!(tablet.offset(&places[0]).await, 0);
    assert_eq!(
        tablet.send(&place(&tablet.create(sha256(&tiny(99)), 8, "").await), 0, &tiny(99)).await.status(),
        204
    );
}

#[tokio::test]
async fn what_is_set_aside_has_its_bounds_and_what_is_not_goes_on() {
    let office = Office::open_allowing(Share::default(), Room { ops: 2, bytes: 10_000 }).await;
    let mut tablet = Tablet::enrol(&office).await;
    let admin = office.person("office").await;
    let stop = Stop::first(&admin).await;
    let foreign = |tablet: &mut Tablet<'_>, note: usize| {
        let mut written = tablet.answer(&stop, "fail");
        let mut op: Value = serde_json::from_str(&written.body).unwrap();
        (op["actor"], op["value"]["note"]) = (json!(uuid::Uuid::from_u128(9)), json!("x".repeat(note)));
        written.body = op.to_string().into();
        written
    };
    let aside = async || admin.get("/quarantine").await["total"].as_u64().unwrap();
    let two = [foreign(&mut tablet, 0), foreign(&mut tablet, 0)];
    assert_eq!(tablet.push(&two).await.status(), 200);
    let three = [&two[..], &[foreign(&mut tablet, 0)]].concat();
    assert_eq!(problem(tablet.push(&three).await).await, is(507, "quarantine-full"));
    assert_eq!(aside().await, 2, "nothing of it was kept");
    assert_eq!(tablet.push(&two).await.status(), 200, "what is there already is acknowledged again");

    let mut other = Tablet::enrol(&office).await;
    let large = foreign(&mut other, 10_000);
    assert_eq!(problem(other.push(&[large]).await).await, is(507, "quarantine-full"));
    let mut third = Tablet::enrol(&office).await;
    let good = third.answer(&stop, "fail");
    let answer: Value = third.push(&[good]).await.json().await.unwrap();
    assert_eq!((&answer["acknowledged"], &answer["quarantined"]), (&json!(1), &json!([])));
    assert_eq!(aside().await, 2);
}
