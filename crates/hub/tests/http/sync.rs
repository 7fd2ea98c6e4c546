//! What tablets push and pull, and what becomes of what cannot be read.

use crate::office::{Office, is, problem};
use crate::tablet::{Stop, Tablet, code, enrolment};
use crate::upload::photo;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use standpipe_oplog::chain::{START, Written};
use standpipe_oplog::wire::{MAX_BODY, PushHead, decode_pull, encode_push};
use uuid::Uuid;

async fn pull(tablet: &Tablet<'_>, after: u64) -> Response {
    tablet.ask(Method::GET, &format!("/sync/pull?after={after}")).send().await.unwrap()
}

#[tokio::test]
async fn what_is_pushed_is_acknowledged_and_comes_back_in_a_pull() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let stop = Stop::first(&office.person("office").await).await;
    let ops = [tablet.answer(&stop, "fail"), tablet.find(&stop, "阀门生锈")];
    for again in 0..2 {
        let answer: Value = tablet.push(&ops).await.json().await.unwrap();
        let expected = json!({ "acknowledged": 2, "durable_seq": 0, "quarantined": [] });
        assert_eq!(answer, expected, "round {again}");
    }
    let hello = json!({ "protocol": 1, "app_version": "0.1.0", "incarnation": 1, "now": 0 });
    let hello = tablet.ask(Method::POST, "/sync/hello").json(&hello).send().await.unwrap();
    let hello: Value = hello.json().await.unwrap();
    assert_eq!((&hello["acknowledged"], &hello["revoked"]), (&2.into(), &false.into()), "{hello}");

    let (mut after, mut bodies) = (0, Vec::new());
    loop {
        let (head, page) = decode_pull(&pull(&tablet, after).await.bytes().await.unwrap()).unwrap();
        bodies.extend(page.into_iter().map(|one| one.body));
        after = head.next;
        if !head.more {
            break;
        }
    }
    for op in &ops {
        assert!(bodies.contains(&op.body), "{} comes back as it was written", op.body);
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_the_senders_fault_and_is_told_why() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let pack = |text: &str| zstd::bulk::compress(text.as_bytes(), 1).unwrap();
    let bomb = zstd::bulk::compress(&vec![b' '; 64 << 20], 19).unwrap();
    let head =
        r#"{"protocol":1,"incarnation":1,"after":0,"prev_hash":""#.to_owned() + &"0".repeat(64) + "\"}";
    let crowd = pack(&(head.clone() + &"\n{}".repeat(501)));
    let cut = {
        let whole = pack(&head.repeat(50));
        whole[..whole.len() / 2].to_vec()
    };
    for (what, body, status, code) in [
        ("nothing", Vec::new(), 400, "not-zstd"),
        ("no zstd", b"plain".to_vec(), 400, "not-zstd"),
        ("no zstd, as long as a push may be", vec![0; MAX_BODY], 400, "not-zstd"),
        ("cut zstd", cut, 400, "not-zstd"),
        ("an empty text", pack(""), 400, "empty"),
        ("no JSON", pack("<html>"), 400, "not-json"),
        ("no text", zstd::bulk::compress(&[0xff, 0xfe], 1).unwrap(), 400, "not-text"),
        ("a bomb", bomb, 413, "too-large"),
        ("a crowd", crowd, 413, "too-many"),
        ("more than the wire bears", vec![0; MAX_BODY + 1], 413, "too-large"),
    ] {
        let answer = problem(tablet.push_bytes(body).await).await;
        assert_eq!(answer, is(status, code), "{what}");
    }
    let (head, _) = decode_pull(&pull(&tablet, 0).await.bytes().await.unwrap()).unwrap();
    assert!(head.next > 0, "the hub goes on");
}

#[tokio::test]
async fn a_push_that_does_not_fit_is_told_what_is_expected() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let stop = Stop::first(&office.person("office").await).await;
    let written = [tablet.answer(&stop, "pass"), tablet.answer(&stop, "fail")];
    assert_eq!(tablet.push(&written[..1]).await.status(), 200);
    let fork = [Written { body: written[0].body.replace("pass", "fail").into(), ..written[0].clone() }];
    let answer = tablet.push(&fork).await;
    assert_eq!(answer.status(), 409);
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["code"], &body["incarnation"]), (&"forked".into(), &2.into()), "{body}");
    assert!(body["message"].is_string(), "it reads as any problem");
    let gap = tablet.push_after(5, &written[1..]).await;
    let body: Value = gap.json().await.unwrap();
    assert_eq!((&body["code"], &body["expected"]), (&"expected".into(), &2.into()), "{body}");
}

#[tokio::test]
async fn without_a_token_that_the_hub_knows_nothing_is_taken_or_given() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    for (method, path) in [
        (Method::POST, "/sync/push"),
        (Method::POST, "/sync/hello"),
        (Method::GET, "/sync/pull"),
        (Method::GET, "/sync/snapshot"),
        (Method::POST, "/blobs"),
        (Method::POST, "/blobs/status"),
        (Method::GET, "/blobs/00/original"),
    ] {
        let ask = || office.ask(method.clone(), &format!("/api/v1{path}")).header("Tus-Resumable", "1.0.0");
        assert_eq!(problem(ask().send().await.unwrap()).await, is(401, "unknown-token"), "{path}");
        let wrong = ask().bearer_auth(format!("{}x", tablet.token)).send().await.unwrap();
        assert_eq!(problem(wrong).await, is(401, "unknown-token"), "{path}");
    }
    let events = office.ask(Method::GET, "/api/v1/events").send().await.unwrap();
    assert_eq!(problem(events).await, is(401, "signed-out"));
}

#[tokio::test]
async fn what_is_set_aside_is_counted_beyond_what_is_listed() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let admin = office.person("office").await;
    let stop = Stop::first(&admin).await;
    // An item that the checklist does not have.
    let wrong = Stop { check: stop.check, item: "no-such-item".into() };
    let ops: Vec<_> = (0..1_003).map(|_| tablet.answer(&wrong, "pass")).collect();
    let (mut after, mut prev_hash) = (0, START);
    for part in ops.chunks(500) {
        let head = PushHead { protocol: 1, incarnation: 1, after, prev_hash };
        let body = encode_push(&head, part.iter().map(|one| &*one.body)).unwrap();
        assert_eq!(tablet.push_bytes(body).await.status(), 200);
        (after, prev_hash) = (part[part.len() - 1].op.dev_seq, part[part.len() - 1].hash);
    }
    let list = admin.get("/quarantine").await;
    assert_eq!((&list["total"], list["listed"].as_array().unwrap().len()), (&1_003.into(), 1_000));
    let newest = ops.last().unwrap().op.op_id.to_string();
    assert_eq!(list["listed"][0]["op_id"], newest, "the newest of them");
    let again = admin.post("/quarantine/again", &json!({})).await.json::<Value>().await.unwrap();
    assert_eq!((&again["taken"], &again["left"]["total"]), (&0.into(), &1_003.into()));
    office.close().await;
}

#[tokio::test]
async fn an_administrator_sees_to_what_was_set_aside_and_takes_it_back() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let (admin, reader) = (office.person("office").await, office.person("property").await);
    let stop = Stop::first(&admin).await;
    let wrong = Stop { check: stop.check, item: "no-such-item".into() };
    let op = tablet.answer(&wrong, "pass");
    tablet.push(std::slice::from_ref(&op)).await;
    let place = json!({ "device": tablet.id, "incarnation": 1, "dev_seq": 1 });
    let say = |seen: bool| json!({ "places": [place], "seen": seen });
    let counts = async |path: &str| {
        let list = admin.get(path).await;
        let listed = list["listed"].as_array().unwrap().iter().map(|one| one["seen"]["by"].clone()).collect();
        (list["total"].as_u64().unwrap(), list["seen_to"].as_u64().unwrap(), Value::Array(listed))
    };
    assert_eq!(problem(reader.post("/quarantine/seen", &say(true)).await).await, is(403, "not-allowed"));
    assert_eq!(counts("/quarantine").await, (1, 0, json!([null])));

    assert_eq!(admin.post("/quarantine/seen", &say(true)).await.status(), 204);
    assert_eq!(counts("/quarantine").await, (0, 1, json!([])));
    let name = admin.get("/session").await["name"].clone();
    assert_eq!(counts("/quarantine/seen").await, (0, 1, json!([name])));
    // The tablet asks, and is told as ever that it is aside.
    let offer = json!({ "ops": [op.op.op_id] });
    let answer = tablet.ask(Method::POST, "/sync/offer").json(&offer).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["quarantined"][0]["code"], "unknown-item");
    assert_eq!(counts("/quarantine").await, (0, 1, json!([])));

    assert_eq!(admin.post("/quarantine/seen", &say(false)).await.status(), 204);
    assert_eq!(counts("/quarantine").await, (1, 0, json!([null])));
    let many = json!({ "places": vec![&place; 1_001], "seen": true });
    assert_eq!(problem(admin.post("/quarantine/seen", &many).await).await, is(413, "too-many"));
    office.close().await;
}

#[tokio::test]
async fn an_offer_names_at_most_500_operations() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let offer = async |count: usize| {
        let ops: Vec<Uuid> = (0..count).map(|n| Uuid::from_u128(n as u128)).collect();
        tablet.ask(Method::POST, "/sync/offer").json(&json!({ "ops": ops })).send().await.unwrap()
    };
    let answer: Value = offer(500).await.json().await.unwrap();
    assert_eq!((&answer["quarantined"], answer["lost"].as_array().unwrap().len()), (&json!([]), 500));
    let refused = offer(501).await;
    assert_eq!(refused.status(), 413);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!((&refused["code"], &refused["details"]["limit"]), (&"too-many".into(), &500.into()));
}

#[tokio::test]
async fn a_revoked_tablet_delivers_what_it_recorded_and_is_given_nothing() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let admin = office.person("office").await;
    let revoked = admin.post(&format!("/tablets/{}/revoke", tablet.id), &json!({})).await;
    assert_eq!(revoked.json::<Value>().await.unwrap()["revoked"], true);

    assert_eq!(problem(pull(&tablet, 0).await).await, is(403, "revoked"));
    let events = tablet.ask(Method::GET, "/events").send().await.unwrap();
    assert_eq!(problem(events).await, is(403, "revoked"));
    let hello = json!({ "protocol": 1, "app_version": "0.1.0", "incarnation": 1, "now": 0 });
    let hello = tablet.ask(Method::POST, "/sync/hello").json(&hello).send().await.unwrap();
    assert_eq!(hello.json::<Value>().await.unwrap()["revoked"], true);

    let op = tablet.answer(&Stop::first(&admin).await, "pass");
    let answer: Value = tablet.push(std::slice::from_ref(&op)).await.json().await.unwrap();
    assert_eq!((&answer["acknowledged"], &answer["quarantined"][0]["code"]), (&1.into(), &"revoked".into()));
    let quarantine = admin.get("/quarantine").await;
    assert_eq!(quarantine["listed"][0]["op_id"], op.op.op_id.to_string(), "the office sees it");
    // Asking again changes nothing for a tablet that is still revoked.
    let offer = json!({ "ops": [op.op.op_id] });
    let answer = tablet.ask(Method::POST, "/sync/offer").json(&offer).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["quarantined"][0]["code"], "revoked");
    let again = admin.post("/quarantine/again", &json!({})).await;
    let again: Value = again.json().await.unwrap();
    assert_eq!((&again["taken"], &again["left"]["listed"][0]["code"]), (&0.into(), &"revoked".into()));
    let reader = office.person("property").await.post("/quarantine/again", &json!({})).await;
    assert_eq!(problem(reader).await, is(403, "not-allowed"));
    let photo = photo(40, 2_000);
    let hash = tablet.upload(&photo).await;
    assert_eq!(tablet.state(hash).await, "verified");
    let back = tablet.ask(Method::GET, &format!("/blobs/{hash}/original")).send().await.unwrap();
    assert_eq!(problem(back).await, is(403, "revoked"));
}

#[tokio::test]
async fn another_version_is_refused_a_pull_and_never_a_push() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let ops = [tablet.answer(&Stop::first(&office.person("office").await).await, "pass")];
    for (version, code) in [("0", "hub-newer"), ("2", "hub-older")] {
        let ask = |method, path: &str| {
            let request = office.ask(method, &format!("/api/v1{path}")).bearer_auth(&tablet.token);
            request.header("Standpipe-Protocol", version)
        };
        for path in ["/sync/pull?after=0", "/sync/snapshot"] {
            let pulled = ask(Method::GET, path).send().await.unwrap();
            assert_eq!(pulled.headers()["standpipe-protocol"], "1");
            assert_eq!(problem(pulled).await, is(426, code), "{path}");
        }
        let head = json!({
            "protocol": version.parse::<u32>().unwrap(), "incarnation": 1, "after": 0, "prev_hash": "0".repeat(64)
        });
        let body = zstd::bulk::compress(format!("{head}\n{}", ops[0].body).as_bytes(), 1).unwrap();
        let pushed = ask(Method::POST, "/sync/push").body(body).send().await.unwrap();
        assert_eq!(pushed.status(), 200, "version {version}");
    }
}

#[tokio::test]
async fn an_enrolment_code_works_once_and_not_for_ever() {
    let office = Office::open().await;
    let admin = office.person("office").await;
    let enrol = async |code: &str, protocol: u32| {
        office.ask(Method::POST, "/api/v1/enrol").json(&enrolment(code, protocol)).send().await.unwrap()
    };
    let first = code(&admin).await;
    assert_eq!(problem(enrol(&first, 2).await).await, is(426, "hub-older"));
    assert_eq!(problem(enrol(&first, 0).await).await, is(426, "hub-newer"));
    assert_eq!(enrol(&first.to_uppercase().replace('-', " "), 1).await.status(), 200);
    assert_eq!(problem(enrol(&first, 1).await).await, is(401, "wrong-code"), "used");
    assert_eq!(problem(enrol("aaaaa-aaaaa", 1).await).await, is(401, "wrong-code"), "never given out");
    let late = code(&admin).await;
    office.world.advance(15 * 60_000 + 1_000);
    assert_eq!(problem(enrol(&late, 1).await).await, is(401, "wrong-code"), "too old");
    let tablets = admin.get("/tablets").await;
    assert_eq!(tablets.as_array().unwrap().len(), 1, "{tablets}");

    let mut no_key = enrolment(&code(&admin).await, 1);
    no_key["public_key"] = "AAAA".into();
    let answer = office.ask(Method::POST, "/api/v1/enrol").json(&no_key).send().await.unwrap();
    assert_eq!(problem(answer).await, is(400, "malformed"));
    while enrol("bbbbb-bbbbb", 1).await.status() == 401 {}
    assert_eq!(problem(enrol("bbbbb-bbbbb", 1).await).await, is(429, "too-many-tries"));
}
