//! What the office does: reads what was found, sees its photos, and shows that it was put right.

use crate::office::{Office, Person, is, problem};
use crate::tablet::{Stop, Tablet};
use crate::upload::photo;
use reqwest::Method;
use serde_json::{Value, json};
use standpipe_domain::ids::Sha256;
use standpipe_oplog::chain::sha256;
use uuid::Uuid;

/// Has something found, with a photo that is recorded under this hash. Gives the issue's id.
pub async fn issue(tablet: &mut Tablet<'_>, reader: &Person<'_>, hash: Sha256, media_type: &str) -> String {
    let stop = Stop::first(reader).await;
    let evidence = json!({
        "sha256": hash, "media_type": media_type, "bytes": 1_000, "name": "阀门\"1\".jpg", "at": 0
    });
    let ops = [tablet.answer(&stop, "fail"), tablet.find(&stop, "阀门生锈"), tablet.attach(&stop, evidence)];
    let answer: Value = tablet.push(&ops).await.json().await.unwrap();
    assert_eq!(answer["quarantined"], json!([]), "{answer}");
    let issues = reader.get("/issues").await;
    assert_eq!(issues.as_array().unwrap().len(), 1, "{issues}");
    issues[0]["id"].as_str().unwrap().to_owned()
}

/// What the console shows of an issue's status, as a step names it.
fn seen(issue: &Value) -> Value {
    let statuses = issue["statuses"].as_array().unwrap().iter();
    statuses.map(|side| side["rev"].clone()).collect()
}

#[tokio::test]
async fn a_photo_is_recorded_then_arrives_and_is_given_whole_or_in_part() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let person = office.person("property").await;
    let photo = photo(20, 1_000);
    let hash = sha256(&photo);
    let get = |size: &str| person.ask(Method::GET, &format!("/evidence/{hash}/{size}"));
    assert_eq!(problem(get("original").send().await.unwrap()).await, is(404, "unknown"));
    issue(&mut tablet, &person, hash, "image/jpeg").await;
    assert_eq!(problem(get("original").send().await.unwrap()).await, is(404, "not-here-yet"));
    assert_eq!(problem(get("thumb").send().await.unwrap()).await, is(404, "not-here-yet"));
    tablet.upload(&photo).await;
    assert_eq!(problem(get("thumb").send().await.unwrap()).await, is(404, "no-thumbnail"));

    let whole = get("original").send().await.unwrap();
    assert_eq!(whole.headers()["content-type"], "image/jpeg");
    assert_eq!(whole.content_length(), Some(1_000));
    assert!(whole.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(whole.bytes().await.unwrap(), photo);
    let part = get("original").header("Range", "bytes=100-199").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 100-199/1000");
    assert_eq!(part.bytes().await.unwrap(), photo[100..200]);
    let beyond = get("original").header("Range", "bytes=1000-").send().await.unwrap();
    assert_eq!(beyond.headers()["content-range"], "bytes */1000");
    assert_eq!(problem(beyond).await, is(416, "beyond-end"));
    let foreign = office.ask(Method::GET, &format!("/api/v1/evidence/{hash}/original")).send().await.unwrap();
    assert_eq!(problem(foreign).await, is(401, "signed-out"));
}

#[tokio::test]
async fn what_calls_itself_a_photo_and_is_a_page_is_saved_and_never_shown() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let person = office.person("property").await;
    let page = b"<!doctype html><script>alert(1)</script>";
    issue(&mut tablet, &person, sha256(page), "image/jpeg").await;
    let hash = tablet.upload(page).await;
    let answer = person.ask(Method::GET, &format!("/evidence/{hash}/original")).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "application/octet-stream");
    assert_eq!(header("content-disposition"), "attachment; filename*=UTF-8''%E9%98%80%E9%97%A8%221%22.jpg");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").contains("sandbox"));
}

#[tokio::test]
async fn the_office_moves_an_issue_on_and_shows_the_fix() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let admin = office.person("office").await;
    let id = issue(&mut tablet, &admin, sha256(b"before"), "image/jpeg").await;
    let seen = seen(&admin.get(&format!("/issues/{id}")).await);
    let step = |mut body: Value| {
        let admin = &admin;
        let path = format!("/issues/{id}/steps");
        body["seen"] = seen.clone();
        async move { admin.post(&path, &body).await }
    };
    assert_eq!(problem(step(json!({ "step": "close" })).await).await, is(409, "not-from-here"));
    let bare = step(json!({ "step": "assign" })).await;
    assert_eq!(problem(bare).await, is(422, "assignment-incomplete"));
    assert_eq!(problem(step(json!({ "step": "fly" })).await).await.0, 422);
    let unknown =
        json!({ "step": "assign", "unit": Uuid::nil(), "person": Uuid::nil(), "date": "2023-07-15" });
    assert_eq!(problem(step(unknown).await).await, is(422, "unknown-assignee"));
    let person = &admin.get("/directory").await["people"][0];
    let assign =
        json!({ "step": "assign", "unit": person["unit"], "person": person["id"], "date": "2023-07-15" });
    let assigned: Value = step(assign).await.json().await.unwrap();
    assert_eq!((&assigned["status"], &assigned["deadline"]), (&"assigned".into(), &"2023-07-15".into()));

    let list = async |query: &str| admin.get(&format!("/issues?{query}")).await.as_array().unwrap().len();
    assert_eq!(list("status=assigned&unit=&q=").await, 1);
    assert_eq!(list("status=open").await, 0);
    let wrong = admin.ask(Method::GET, "/issues?status=none").send().await.unwrap();
    assert_eq!(problem(wrong).await, is(400, "malformed"));

    let proof = |who: &Person<'_>, bytes: Vec<u8>| {
        who.ask(Method::POST, &format!("/issues/{id}/proof?name=%E4%BF%AE%E5%A5%BD.jpg")).body(bytes).send()
    };
    assert_eq!(problem(proof(&admin, Vec::new()).await.unwrap()).await, is(422, "empty-file"));
    let fixed = photo(21, 100_000);
    let shown: Value = proof(&admin, fixed.clone()).await.unwrap().json().await.unwrap();
    let after = &shown["after"][0];
    assert_eq!((&after["sha256"], &after["name"]), (&json!(sha256(&fixed)), &"修好.jpg".into()), "{shown}");
    assert_eq!(after["whereabouts"]["state"], "safe-at-office");
    assert_eq!(after["preview"]["state"], "ready");
    let thumb = admin.ask(Method::GET, &format!("/evidence/{}/thumb", sha256(&fixed))).send().await.unwrap();
    assert_eq!(thumb.bytes().await.unwrap(), fixed, "the photo stands in for its own thumbnail");
    let small = tablet.ask(Method::GET, &format!("/blobs/{}/thumb", sha256(&fixed))).send().await.unwrap();
    assert_eq!(problem(small).await, is(404, "no-thumbnail"), "a tablet makes its own");
    let nowhere = admin.ask(Method::POST, &format!("/issues/{}/proof?name=x", Uuid::nil())).body("x");
    assert_eq!(problem(nowhere.send().await.unwrap()).await, is(404, "unknown"));
}

#[tokio::test]
async fn of_two_who_have_the_same_form_open_the_second_is_told_who_was_first() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let (one, other) = (office.person("office").await, office.person("branch").await);
    let id = issue(&mut tablet, &one, sha256(b"before"), "image/jpeg").await;
    let (view, steps) = (format!("/issues/{id}"), format!("/issues/{id}/steps"));
    let person = &one.get("/directory").await["people"][0];
    let (opened, also_opened) = (one.get(&view).await, other.get(&view).await);
    let assign = |date: &str, opened: &Value| {
        json!({
            "step": "assign", "unit": person["unit"], "person": person["id"], "date": date, "seen": seen(opened)
        })
    };
    assert_eq!(one.post(&steps, &assign("2023-07-15", &opened)).await.status(), 200);
    let second = other.post(&steps, &assign("2023-07-20", &also_opened)).await;
    assert_eq!(second.status(), 409);
    let second: Value = second.json().await.unwrap();
    let first = &one.get("/session").await["name"];
    assert_eq!((&second["code"], &second["details"]["by"]), (&"moved-on".into(), first), "{second}");
    let now = other.get(&view).await;
    assert_eq!((&now["deadline"], &now["statuses"][0]["by"]), (&"2023-07-15".into(), first));
    let nothing_seen = other.post(&steps, &assign("2023-07-20", &json!({ "statuses": [] }))).await;
    assert_eq!(problem(nothing_seen).await, is(409, "moved-on"));

    // Who was first goes on from a window that still shows what was before their own step; the other looks again.
    assert_eq!(one.post(&steps, &assign("2023-07-16", &opened)).await.status(), 200);
    let now = other.get(&view).await;
    let looked: Value = other.post(&steps, &assign("2023-07-20", &now)).await.json().await.unwrap();
    assert_eq!(looked["deadline"], "2023-07-20", "{looked}");
}

#[tokio::test]
async fn what_is_asked_for_and_not_there_is_said_plainly() {
    let office = Office::open().await;
    let admin = office.person("office").await;
    let nil = Uuid::nil();
    for path in [format!("/rounds/{nil}"), format!("/issues/{nil}"), format!("/seals/{nil}")] {
        let answer = admin.ask(Method::GET, &path).send().await.unwrap();
        assert_eq!(problem(answer).await, is(404, "unknown"), "{path}");
    }
    let answer = admin.ask(Method::GET, "/rounds/x").send().await.unwrap();
    assert_eq!(problem(answer).await, is(400, "malformed"));
    let text =
        admin.ask(Method::POST, "/tablets").body("not json").header("Content-Type", "application/json");
    assert_eq!(problem(text.send().await.unwrap()).await, is(400, "malformed"));
}
