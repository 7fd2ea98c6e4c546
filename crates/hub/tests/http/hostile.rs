//! What bad input gets, from a tablet that is enrolled: a clear refusal with a code and, where there is one, the limit.
//! Nothing of it makes the hub fail, and nothing grows without bound.

use crate::office::{Office, is, problem};
use crate::tablet::{Stop, Tablet, number, place};
use crate::upload::{files, photo};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use standpipe_domain::ids::{DeviceId, PersonId, Sha256};
use standpipe_hub::blobs::{ALLOWANCE, MAX_BLOB, MAX_THUMBNAIL};
use standpipe_oplog::chain::{START, Written, sha256};
use standpipe_oplog::wire::{MAX_BODY, MAX_OPS, MAX_SUMS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

/// The most bytes of a body that is JSON.
const MAX_JSON: usize = 128 * 1024;

/// Status, code and limit of a refusal; a limit that is not told is 0.
async fn refusal(answer: Response) -> (u16, String, u64) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.expect("a refusal is JSON");
    let limit = body["details"]["limit"].as_u64().unwrap_or(0);
    (status, body["code"].as_str().expect("a code").to_owned(), limit)
}

fn told(status: u16, code: &str, limit: usize) -> (u16, String, u64) {
    (status, code.to_owned(), limit as u64)
}

#[tokio::test]
async fn a_packed_body_that_cannot_be_taken_says_why_and_what_would_be() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let pack = |text: &str| zstd::bulk::compress(text.as_bytes(), 1).unwrap();
    let bomb = zstd::bulk::compress(&vec![b' '; 64 << 20], 19).unwrap();
    let head = format!(r#"{{"protocol":1,"incarnation":1,"after":0,"prev_hash":"{START}"}}"#);
    let crowd = pack(&(head + &"\n{}".repeat(MAX_OPS + 1)));
    let mut hungry = zstd::Encoder::new(Vec::new(), 1).unwrap();
    hungry.window_log(27).unwrap();
    std::io::Write::write_all(&mut hungry, b"{}").unwrap();
    let hungry = hungry.finish().unwrap();
    for (what, body, refused) in [
        ("no zstd", b"plain".to_vec(), told(400, "not-zstd", 0)),
        ("no JSON", pack("<html>"), told(400, "not-json", 0)),
        ("zstd that wants 128 MiB", hungry, told(400, "not-zstd", 0)),
        ("a bomb", bomb, told(413, "too-large", MAX_BODY)),
        ("more than the wire bears", vec![0; MAX_BODY + 1], told(413, "too-large", MAX_BODY)),
    ] {
        for path in ["/sync/push", "/sync/return"] {
            let answer = tablet.ask(Method::POST, path).body(body.clone()).send().await.unwrap();
            assert_eq!(refusal(answer).await, refused, "{what} to {path}");
        }
    }
    assert_eq!(refusal(tablet.push_bytes(crowd).await).await, told(413, "too-many", MAX_OPS));
    let no_op = tablet.ask(Method::POST, "/sync/return").body(pack("{}\n{\"at\":1,\"r\":\"x\",\"op\":[]}"));
    // One line that is no operation keeps nothing else from being taken.
    let answer: Value = no_op.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, serde_json::json!({ "taken": 0, "refused": [] }));
}

#[tokio::test]
async fn a_question_that_does_not_read_says_why_and_what_would() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    for path in ["/enrol", "/sync/hello", "/sync/sums", "/blobs/status"] {
        let ask = |body: Vec<u8>| {
            let request = tablet.ask(Method::POST, path).header("Content-Type", "application/json");
            request.body(body).send()
        };
        for body in ["", "<html>", "[]", "{\"at\":7,\"sha256\":7}", "\u{feff}{}"] {
            let (status, code) = problem(ask(body.into()).await.unwrap()).await;
            assert_eq!((status / 100, &*code), (4, "malformed"), "{body:?} to {path}");
        }
        let (status, code) = problem(ask("[".repeat(20_000).into()).await.unwrap()).await;
        assert_eq!((status / 100, &*code), (4, "malformed"), "deep, to {path}");
        let large = vec![b' '; MAX_JSON + 1];
        assert_eq!(refusal(ask(large).await.unwrap()).await, told(413, "too-large", MAX_JSON), "{path}");
        let other = tablet.ask(Method::POST, path).body("{}").send().await.unwrap();
        assert_eq!(problem(other).await, is(415, "malformed"), "{path}");
    }
    let sums = json!({ "at": vec![1; MAX_SUMS + 1] });
    let sums = tablet.ask(Method::POST, "/sync/sums").json(&sums).send().await.unwrap();
    assert_eq!(refusal(sums).await, told(413, "too-many", MAX_SUMS));
    let states = |many| {
        let states = json!({ "sha256": vec![START; many] });
        tablet.ask(Method::POST, "/blobs/status").json(&states).send()
    };
    assert_eq!(states(1_000).await.unwrap().status(), 200, "as many as are allowed fit");
    assert_eq!(refusal(states(1_001).await.unwrap()).await, told(413, "too-many", 1_000));
}

#[tokio::test]
async fn numbers_that_no_database_counts_to_are_answered_like_any_other() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    for number in [i64::MAX as u64 - 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
        for whole in ["", "&whole=true"] {
            let path = format!("/sync/pull?after={number}&limit={number}{whole}");
            let answer = tablet.ask(Method::GET, &path).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
        }
        let sums = json!({ "at": [number] });
        let sums = tablet.ask(Method::POST, "/sync/sums").json(&sums).send().await.unwrap();
        assert_eq!(sums.status(), 200, "{number}");
        let behind = tablet.push_after(number, &[]).await;
        assert_eq!(problem(behind).await, is(409, "expected"), "{number}");
        let large = tablet.create(sha256(b"x"), number, "").await;
        assert_eq!(refusal(large).await, told(413, "too-large", usize::try_from(MAX_BLOB).unwrap()));
    }
    for now in [i64::MIN, i64::MAX] {
        let hello =
            json!({ "protocol": 1, "app_version": "v".repeat(9_000), "incarnation": u32::MAX, "now": now });
        let hello = tablet.ask(Method::POST, "/sync/hello").json(&hello).send().await.unwrap();
        assert_eq!(hello.status(), 200, "{now}");
    }
    for beyond in ["18446744073709551616", "-1", "1e3", "0x10", " 7 7", "٣"] {
        let request = tablet.ask(Method::POST, "/blobs").header("Upload-Length", beyond);
        assert_eq!(problem(request.send().await.unwrap()).await, is(400, "malformed"), "{beyond}");
        let pull = tablet.ask(Method::GET, &format!("/sync/pull?after={beyond}"));
        assert_eq!(problem(pull.send().await.unwrap()).await, is(400, "malformed"), "{beyond}");
    }
}

fn changed(written: &Written, change: impl FnOnce(&mut Value)) -> Written {
    let mut body: Value = serde_json::from_str(&written.body).unwrap();
    change(&mut body);
    Written { body: body.to_string().into(), ..written.clone() }
}

#[tokio::test]
async fn operations_in_anothers_name_and_out_of_their_place_are_kept_aside_and_change_nothing() {
    let office = Office::open().await;
    let (mut tablet, other) = (Tablet::enrol(&office).await, Tablet::enrol(&office).await);
    let admin = office.person("office").await;
    let stop = Stop::first(&admin).await;
    let round = format!("/rounds/{}", admin.get("/rounds").await[0]["id"].as_str().unwrap());
    let before = admin.get(&round).await;
    let nobody = Uuid::from_u128(9);
    let mut write = |change: &dyn Fn(&mut Value)| changed(&tablet.answer(&stop, "fail"), change);
    let ops = [
        write(&|op| op["device"] = json!(other.id)),
        write(&|op| op["device"] = json!(DeviceId(nobody))),
        write(&|op| op["actor"] = json!(PersonId(nobody))),
        write(&|op| op["scope"] = json!(nobody)),
        write(&|op| op["dev_seq"] = json!(90)),
        write(&|op| op["dev_seq"] = json!(u64::MAX)),
        write(&|op| op["incarnation"] = json!(2)),
    ];
    let answer: Value = tablet.push(&ops).await.json().await.unwrap();
    let codes: Vec<_> =
        answer["quarantined"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    let expected = [
        "foreign-device",
        "foreign-device",
        "foreign-actor",
        "other-scope",
        "out-of-order",
        "out-of-order",
        "out-of-order",
    ];
    assert_eq!(codes, expected);
    assert_eq!(answer["acknowledged"], ops.len(), "none is sent again for ever");
    assert_eq!(
        admin.get("/quarantine").await["listed"].as_array().unwrap().len(),
        ops.len(),
        "the office sees all of it"
    );
    // The other's chain is as it was, and so are the records.
    let hello = json!({ "protocol": 1, "app_version": "0.1.0", "incarnation": 1, "now": 0 });
    let hello = other.ask(Method::POST, "/sync/hello").json(&hello).send().await.unwrap();
    assert_eq!(hello.json::<Value>().await.unwrap()["acknowledged"], 0);
    assert_eq!(admin.get(&round).await, before);
    // A sequence number that jumps in the head of a push is told what is expected.
    let ahead = tablet.push_after(90, &ops[..1]).await.json::<Value>().await.unwrap();
    assert_eq!((&ahead["code"], &ahead["expected"]), (&json!("expected"), &json!(ops.len() + 1)));
}

/// Sends pieces of a body that has no end until the hub answers. Gives the answer's status and code.
async fn endless(
    office: &Office,
    tablet: &Tablet<'_>,
    request: &str,
    headers: &str,
    piece: &[u8],
) -> (u16, String) {
    let wire = TcpStream::connect(office.address).await.unwrap();
    let (mut read, mut write) = wire.into_split();
    let head = format!(
        "{request} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n{headers}\r\n",
        office.address, tablet.token
    );
    let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    let sending = async {
        write.write_all(head.as_bytes()).await.unwrap();
        // The hub hangs up once it has answered.
        while write.write_all(&chunk).await.is_ok() {}
    };
    let mut answer = Vec::new();
    let reading = async {
        let mut some = [0; 4096];
        while let Ok(read @ 1..) = read.read(&mut some).await {
            answer.extend_from_slice(&some[..read]);
        }
    };
    let both = async { tokio::join!(sending, reading) };
    tokio::time::timeout(std::time::Duration::from_secs(60), both).await.expect("the hub puts an end to it");
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {answer}"));
    (status, body["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_and_what_was_announced_of_it_counts() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(1, 300_000);
    let at = tablet.begin(&photo).await;
    let piece = "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n";
    let answer = endless(&office, &tablet, &format!("PATCH /api/v1{at}"), piece, &photo).await;
    assert_eq!(answer, is(413, "beyond-length"));
    assert_eq!(tablet.state(sha256(&photo)).await, "verified", "as far as it was announced it is a photo");
    assert_eq!(files(&office.dir().join("uploads")).len(), 0);

    for path in ["/sync/push", "/sync/return"] {
        let answer = endless(&office, &tablet, &format!("POST /api/v1{path}"), "", &vec![7; 60_000]).await;
        assert_eq!(answer, is(413, "too-large"), "{path}");
    }
    let json = "Content-Type: application/json\r\n";
    let answer = endless(&office, &tablet, "POST /api/v1/sync/hello", json, &[b' '; 1_000]).await;
    assert_eq!(answer, is(413, "too-large"));
}

#[tokio::test]
async fn what_is_announced_is_bounded() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let (hash, of) = (sha256(b"x"), BASE64.encode(sha256(b"y").to_string()));
    let most = |bytes: u64| usize::try_from(bytes).unwrap();
    assert_eq!(
        refusal(tablet.create(hash, MAX_BLOB + 1, "").await).await,
        told(413, "too-large", most(MAX_BLOB))
    );
    let thumbnail = format!(",role {},of {of}", BASE64.encode("thumbnail"));
    let answer = tablet.create(hash, MAX_THUMBNAIL + 1, &thumbnail).await;
    assert_eq!(refusal(answer).await, told(413, "too-large", most(MAX_THUMBNAIL)));
    let chatty = format!(",note {}", BASE64.encode("x".repeat(4_000)));
    assert_eq!(refusal(tablet.create(hash, 1, &chatty).await).await, told(413, "too-large", 4096));
    for wrong in [",role eA==", ",of eA==,role dGh1bWJuYWls", ", ,", ",x !", ",sha256 eA=="] {
        assert_eq!(problem(tablet.create(hash, 1, wrong).await).await, is(400, "malformed"), "{wrong}");
    }
    assert_eq!(tablet.state(hash).await, "absent", "nothing was begun");
}

#[tokio::test]
async fn a_tablet_that_begins_uploads_without_end_is_stopped_and_others_are_not() {
    let office = Office::open().await;
    let (tablet, other) = (Tablet::enrol(&office).await, Tablet::enrol(&office).await);
    let hash = |n: u64| sha256(&n.to_be_bytes());
    let begin = async |tablet: &Tablet<'_>, n: u64, bytes: u64| tablet.create(hash(n), bytes, "").await;
    let first = place(&begin(&tablet, 0, 8).await);
    for n in 1..ALLOWANCE.uploads {
        assert_eq!(begin(&tablet, n, 8).await.status(), 201, "{n}");
    }
    let most = usize::try_from(ALLOWANCE.uploads).unwrap();
    let refused = begin(&tablet, ALLOWANCE.uploads, 8).await;
    assert_eq!(refusal(refused).await, told(429, "too-many-uploads", most));
    assert_eq!(begin(&other, 0, 8).await.status(), 201);
    // What was begun goes on, and makes room once it has ended.
    assert_eq!(begin(&tablet, 5, 8).await.status(), 201);
    assert_eq!(tablet.send(&first, 0, &0_u64.to_be_bytes()).await.status(), 204);
    assert_eq!(tablet.state(hash(0)).await, "verified");
    assert_eq!(begin(&tablet, ALLOWANCE.uploads, 8).await.status(), 201);
    assert_eq!(begin(&tablet, ALLOWANCE.uploads + 1, 8).await.status(), 429);

    let vast = ALLOWANCE.bytes / MAX_BLOB;
    for n in 1..vast {
        assert_eq!(begin(&other, n, MAX_BLOB).await.status(), 201, "{n}");
    }
    assert_eq!(
        begin(&other, vast, MAX_BLOB).await.status(),
        429,
        "with the 8 bytes of its first it is too much"
    );
    assert_eq!(begin(&other, vast, MAX_BLOB - 8).await.status(), 201);
}

#[tokio::test]
async fn bytes_that_are_sent_again_to_a_photo_that_is_here_are_told_that_it_is() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let photo = photo(2, 1_000);
    let hash: Sha256 = tablet.upload(&photo).await;
    let at = place(&tablet.create(hash, 1_000, "").await);
    let answer = tablet.send(&at, 0, &photo).await;
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["code"], &body["details"]["offset"]), (&json!("wrong-offset"), &json!(1_000)));
    let answer = tablet.send(&at, 1_000, &[]).await;
    assert_eq!((answer.status().as_u16(), number(&answer, "upload-offset")), (204, 1_000));
    let absent = format!("/blobs/{}", sha256(b"never sent"));
    assert_eq!(problem(tablet.send(&absent, 0, &photo).await).await, is(404, "unknown-upload"));
    // Through POST, where something between lets nothing else through.
    let through =
        |method: &str| tablet.ask(Method::POST, &at).header("X-HTTP-Method-Override", method).send();
    assert_eq!(number(&through("HEAD").await.unwrap(), "upload-offset"), 1_000);
    assert_eq!(problem(through("GET").await.unwrap()).await, is(405, "no-such-method"));
    assert_eq!(problem(through("DELETE").await.unwrap()).await, is(404, "unknown-upload"));
    let old =
        office.ask(Method::HEAD, &format!("/api/v1{at}")).bearer_auth(&tablet.token).send().await.unwrap();
    assert_eq!((old.status().as_u16(), &old.headers()["tus-version"]), (412, &"1.0.0".parse().unwrap()));
}
