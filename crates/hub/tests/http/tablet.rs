//! A tablet that talks to the hub.

use crate::office::{Office, Person};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use ed25519_dalek::SigningKey;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{CheckId, DeviceId, Millis, PersonId, Sha256, SiteId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::{Finding, entity, fields, finding_id, set};
use standpipe_oplog::chain::{START, Written, sha256};
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::pen::{Draft, Moment, Pen};
use standpipe_oplog::seal::{SealPayload, seal};
use standpipe_oplog::wire::{PushHead, encode_push};
use uuid::Uuid;

/// An enrolled tablet.
pub struct Tablet<'o> {
    office: &'o Office,
    pub token: String,
    pub id: DeviceId,
    person: PersonId,
    key: SigningKey,
    pen: Pen,
}

/// An item that is passed or failed, on some check of the demonstration's round.
pub struct Stop {
    pub check: CheckId,
    pub item: String,
}

impl Stop {
    pub async fn first(reader: &Person<'_>) -> Self {
        let round = reader.get("/rounds").await[0]["id"].as_str().unwrap().to_owned();
        let check = reader.get(&format!("/rounds/{round}")).await["checks"][0].clone();
        let items = check["checklist"]["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["answer"]["type"] == "pass-fail").unwrap();
        Self {
            check: check["id"].as_str().unwrap().parse().unwrap(),
            item: item["id"].as_str().unwrap().to_owned(),
        }
    }
}

/// What a request to enrol says.
pub fn enrolment(code: &str, protocol: u32) -> Value {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    json!({ "code": code, "public_key": BASE64URL.encode(key.as_bytes()), "app_version": "0.1.0", "protocol": protocol })
}

/// A code for a new tablet, held by the demonstration's inspector.
pub async fn code(admin: &Person<'_>) -> String {
    let directory = admin.get("/directory").await;
    let people = directory["people"].as_array().unwrap();
    let inspects = |person: &&Value| person["roles"].as_array().unwrap().contains(&json!("inspector"));
    let inspector = &people.iter().find(inspects).expect("an inspector in the demonstration")["id"];
    let answer = admin.post("/tablets", &json!({ "name": "平板一", "person": inspector })).await;
    assert_eq!(answer.status(), 201);
    answer.json::<Value>().await.unwrap()["code"].as_str().unwrap().to_owned()
}

impl<'o> Tablet<'o> {
    pub async fn enrol(office: &'o Office) -> Self {
        let code = code(&office.person("office").await).await;
        // Codes differ, and so do keys.
        let key = SigningKey::from_bytes(&sha256(code.as_bytes()).0);
        let mut said = enrolment(&code, 1);
        said["public_key"] = BASE64URL.encode(key.verifying_key().as_bytes()).into();
        let answer = office.ask(Method::POST, "/api/v1/enrol").json(&said).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let enrolled: Value = answer.json().await.unwrap();
        let id = |name: &str| enrolled[name].as_str().unwrap().parse::<Uuid>().unwrap();
        let (device, site) = (DeviceId(id("device")), SiteId(id("site")));
        Self {
            office,
            token: enrolled["token"].as_str().unwrap().to_owned(),
            id: device,
            person: PersonId(id("person")),
            key,
            pen: Pen::new(device, site),
        }
    }

    /// The same tablet, to be had again once its office has another hub.
    pub fn leave(self) -> impl for<'p> FnOnce(&'p Office) -> Tablet<'p> + use<> {
        let Self { token, id, person, key, pen, .. } = self;
        move |office| Tablet { office, token, id, person, key, pen }
    }

    /// What the hub says to its greeting.
    pub async fn greet(&self) -> Value {
        let hello = json!({ "protocol": 1, "app_version": "0.1.0", "incarnation": 1, "now": 0 });
        let answer = self.ask(Method::POST, "/sync/hello").json(&hello).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.office.ask(method, &format!("/api/v1{path}"));
        request.bearer_auth(&self.token).header("Standpipe-Protocol", "1").header("Tus-Resumable", "1.0.0")
    }

    /// Opens an upload. Gives the answer and the place that it names.
    pub async fn create(&self, hash: Sha256, bytes: u64, extra: &str) -> Response {
        let metadata = format!("sha256 {}{extra}", BASE64.encode(hash.to_string()));
        let request = self.ask(Method::POST, "/blobs").header("Upload-Length", bytes);
        request.header("Upload-Metadata", metadata).send().await.unwrap()
    }

    /// Announces a photo, with some bytes of it along.
    pub fn announce(&self, photo: &[u8], bytes: &[u8]) -> RequestBuilder {
        let metadata = format!("sha256 {}", BASE64.encode(sha256(photo).to_string()));
        let request = self.ask(Method::POST, "/blobs").header("Upload-Length", photo.len());
        let request = request.header("Upload-Metadata", metadata);
        request.header("Content-Type", "application/offset+octet-stream").body(bytes.to_owned())
    }

    /// Opens an upload of these bytes. Gives its path below `/api/v1`.
    pub async fn begin(&self, bytes: &[u8]) -> String {
        place(&self.create(sha256(bytes), bytes.len() as u64, "").await)
    }

    pub fn piece(&self, place: &str, offset: u64, bytes: &[u8]) -> RequestBuilder {
        let request = self.ask(Method::PATCH, place).header("Upload-Offset", offset);
        request.header("Content-Type", "application/offset+octet-stream").body(bytes.to_owned())
    }

    pub async fn send(&self, place: &str, offset: u64, bytes: &[u8]) -> Response {
        self.piece(place, offset, bytes).send().await.unwrap()
    }

    /// How far the hub says that the upload is.
    pub async fn offset(&self, place: &str) -> u64 {
        let answer = self.ask(Method::HEAD, place).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{place}");
        number(&answer, "upload-offset")
    }

    /// Sends a whole photo.
    pub async fn upload(&self, bytes: &[u8]) -> Sha256 {
        let place = self.begin(bytes).await;
        assert_eq!(self.send(&place, 0, bytes).await.status(), 204);
        sha256(bytes)
    }

    /// What the hub says of the bytes under a hash.
    pub async fn state(&self, hash: Sha256) -> String {
        let asked = json!({ "sha256": [hash] });
        let answer = self.ask(Method::POST, "/blobs/status").json(&asked).send().await.unwrap();
        let states: Value = answer.json().await.unwrap();
        states[hash.to_string()].as_str().unwrap().to_owned()
    }

    fn write(&mut self, draft: Draft) -> Written {
        let now = Millis(1_688_176_800_000);
        let moment = Moment { now, actor: self.person, tx: Uuid::now_v7() };
        self.pen.write(draft, Uuid::now_v7(), moment).unwrap()
    }

    /// Answers an item of a check.
    pub fn answer(&mut self, stop: &Stop, outcome: &str) -> Written {
        let answer = json!({ "outcome": outcome, "at": 1_688_176_800_000_i64 });
        self.write(Draft::set(entity::CHECK, stop.check.0, format!("answer:{}", stop.item), answer, None))
    }

    /// Records what is wrong at a stop.
    pub fn find(&mut self, stop: &Stop, words: &str) -> Written {
        let (check, item) = (stop.check, stop.item.clone());
        let id = finding_id(check, &item);
        let finding = Finding { id, check, item, severity: Some(Severity::Serious), words: words.to_owned() };
        self.write(Draft::record(entity::FINDING, id.0, fields(&finding)))
    }

    /// Adds a photo to what is wrong at a stop.
    pub fn attach(&mut self, stop: &Stop, photo: Value) -> Written {
        self.write(Draft::add(entity::FINDING, finding_id(stop.check, &stop.item).0, set::PHOTOS, photo))
    }

    /// Seals an answer for the unit in this place of those that a round, as the console reads it, asks to sign.
    pub fn seal(&mut self, round: &Value, place: usize, answer: &Written) -> Written {
        let Op { op_id, id, field, value, .. } = &answer.op;
        let field = field.clone().unwrap();
        let checks = round["checks"].as_array().unwrap();
        let of = checks.iter().find(|check| check["id"] == json!(id)).unwrap();
        let list = &of["checklist"];
        let item = field.strip_prefix(ANSWER).unwrap();
        let payload = json!({
            "sign_off": Uuid::now_v7(), "site": self.pen.scope, "round": round["line"]["id"],
            "unit": round["sign_offs"][place]["unit"], "name": "业主代表", "strokes": [[[0, 0, 0], [5, 5, 9], [9, 2, 20]]],
            "at": 1_688_176_800_000_i64, "device": self.id, "inspector": self.person, "findings": [], "evidence": [],
            "checks": [{
                "id": id, "asset": of["asset"]["id"], "checklist": { "id": list["id"], "version": list["version"] },
                "answers": { item: value }, "revs": { field.clone(): op_id },
            }],
        });
        let payload: SealPayload = serde_json::from_value(payload).unwrap();
        let jws = seal(&payload, self.id, &self.key).unwrap();
        self.write(sealed(payload.sign_off.0, json!(jws)))
    }

    /// Writes another's operation as its own, as a tablet does that joined again.
    pub fn adopt(&mut self, seal: &Written) -> Written {
        self.write(sealed(seal.op.id, seal.op.value.clone()))
    }

    /// Pushes what was recorded, from the first operation on.
    pub async fn push(&self, written: &[Written]) -> Response {
        self.push_after(0, written).await
    }

    /// Pushes operations as if they stood behind `after`.
    pub async fn push_after(&self, after: u64, written: &[Written]) -> Response {
        let head = PushHead { protocol: 1, incarnation: 1, after, prev_hash: START };
        let body = encode_push(&head, written.iter().map(|one| &*one.body)).unwrap();
        self.push_bytes(body).await
    }

    pub async fn push_bytes(&self, body: Vec<u8>) -> Response {
        self.ask(Method::POST, "/sync/push").body(body).send().await.unwrap()
    }
}

fn sealed(id: Uuid, value: Value) -> Draft {
    Draft { entity: entity::SIGN_OFF, id, kind: Kind::Seal, field: None, value, base_rev: None }
}

/// The path below `/api/v1` that an opened upload has.
pub fn place(answer: &Response) -> String {
    assert_eq!(answer.status(), 201);
    answer.headers()["location"].to_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned()
}

pub fn number(answer: &Response, header: &str) -> u64 {
    answer.headers()[header].to_str().unwrap().parse().unwrap()
}
