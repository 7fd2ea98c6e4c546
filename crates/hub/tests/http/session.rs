//! Signing in, and what keeps others out.

use crate::office::{Office, is, problem};
use reqwest::{Method, Response};
use serde_json::json;
use standpipe_hub::demo;

#[tokio::test]
async fn whoever_signs_in_is_known_until_they_sign_out() {
    let office = Office::open().await;
    let person = office.person("office").await;
    let who = person.get("/session").await;
    assert!(who["acts"].as_array().unwrap().contains(&json!("administer")), "{who}");

    let out = person.ask(Method::DELETE, "/session").send().await.unwrap();
    assert_eq!(out.status(), 204);
    let after = person.ask(Method::GET, "/session").send().await.unwrap();
    assert_eq!(problem(after).await, is(401, "signed-out"));
    let rounds = office.ask(Method::GET, "/api/v1/rounds").send().await.unwrap();
    assert_eq!(problem(rounds).await, is(401, "signed-out"));
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let office = Office::open().await;
    let answer = office.sign_in("office", demo::PASSWORD).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("standpipe_session="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{attribute} in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain HTTP on loopback could not bring it back");
    let answer = Office::open_at(true).await.sign_in("office", demo::PASSWORD).await;
    assert!(answer.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"), "behind TLS it must");
}

#[tokio::test]
async fn a_session_ends_by_itself_at_the_end_of_the_day() {
    let office = Office::open().await;
    let person = office.person("office").await;
    office.world.advance(12 * 3_600_000 - 1_000);
    person.get("/session").await;
    office.world.advance(2_000);
    let after = person.ask(Method::GET, "/session").send().await.unwrap();
    assert_eq!(problem(after).await, is(401, "signed-out"));
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_answered_alike() {
    let office = Office::open().await;
    for (name, password) in
        [("office", "wrong"), ("nobody", demo::PASSWORD), ("office", ""), ("office", &"x".repeat(2_000))]
    {
        assert_eq!(problem(office.sign_in(name, password).await).await, is(401, "wrong-sign-in"), "{name}");
    }
}

#[tokio::test]
async fn whoever_guesses_too_often_waits_even_with_the_right_password() {
    let office = Office::open().await;
    for _ in 0..10 {
        assert_eq!(office.sign_in("office", "guess").await.status(), 401);
    }
    let refused = office.sign_in("office", demo::PASSWORD).await;
    assert_eq!(refused.headers()["retry-after"], "301");
    assert_eq!(problem(refused).await, is(429, "too-many-tries"));
    assert_eq!(office.sign_in("property", demo::PASSWORD).await.status(), 200, "others are not held up");
    office.world.advance(301_000);
    assert_eq!(office.sign_in("office", demo::PASSWORD).await.status(), 200);
}

#[tokio::test]
async fn a_foreign_page_changes_nothing_in_the_name_of_who_is_signed_in() {
    let office = Office::open().await;
    let person = office.person("office").await;
    let own = format!("http://{}", office.address);
    let send = async |headers: &[(&str, &str)]| -> Response {
        let mut request = office.ask(Method::POST, "/api/v1/tablets").header("Cookie", &person.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.json(&json!({ "name": "", "person": uuid::Uuid::nil() })).send().await.unwrap()
    };
    for foreign in
        [&[][..], &[("Origin", "http://evil.example")], &[("Origin", "null")], &[("Standpipe-Client", "x")]]
    {
        assert_eq!(problem(send(foreign).await).await, is(403, "cross-site"), "{foreign:?}");
    }
    for own in [&[("Origin", own.as_str())][..], &[("Standpipe-Client", "console")]] {
        assert_eq!(problem(send(own).await).await, is(422, "wrong-name"), "{own:?}: it is read");
    }
    let form = json!({ "name": "office", "password": demo::PASSWORD });
    let sign_in = office.ask(Method::POST, "/api/v1/session").json(&form).send().await.unwrap();
    assert_eq!(
        problem(sign_in).await,
        is(403, "cross-site"),
        "nobody is signed in as somebody else unawares"
    );
}

#[tokio::test]
async fn only_an_administrator_enrols_and_revokes_tablets() {
    let office = Office::open().await;
    let staff = office.person("property").await;
    let new = json!({ "name": "平板", "person": uuid::Uuid::nil() });
    assert_eq!(problem(staff.post("/tablets", &new).await).await, is(403, "not-allowed"));
    let revoke = format!("/tablets/{}/revoke", uuid::Uuid::nil());
    assert_eq!(problem(staff.post(&revoke, &json!({})).await).await, is(403, "not-allowed"));
    let admin = office.person("office").await;
    assert_eq!(problem(admin.post("/tablets", &new).await).await, is(422, "unknown-person"));
    assert_eq!(problem(admin.post(&revoke, &json!({})).await).await, is(404, "unknown"));
}
