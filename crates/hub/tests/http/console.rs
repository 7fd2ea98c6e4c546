//! The console's page, and the headers that fence it in.

use crate::office::{Office, is, problem};
use reqwest::Method;

#[tokio::test]
async fn the_console_is_served_or_says_that_it_is_not_built() {
    let office = Office::open().await;
    for path in ["/", "/issues/some-address-of-the-page"] {
        let page = office.ask(Method::GET, path).header("Accept", "text/html").send().await.unwrap();
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        let text = page.text().await.unwrap();
        assert!(text.contains("<script") || text.contains("console is not built"), "{text}");
    }
    let missing = office.ask(Method::GET, "/assets/none.js").send().await.unwrap();
    assert_eq!(missing.status(), 404);
    let posted = office.ask(Method::POST, "/").send().await.unwrap();
    assert_eq!(posted.status(), 405);
}

#[tokio::test]
async fn every_answer_is_fenced_in() {
    let office = Office::open().await;
    for path in ["/", "/healthz", "/api/v1/session", "/api/v1/none", "/assets/none.js"] {
        let answer = office.ask(Method::GET, path).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(
            !policy.contains("script-src 'unsafe") && !policy.contains("unsafe-eval"),
            "{path}: {policy}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("standpipe-protocol"), "1", "{path}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_there_is_a_problem_and_not_a_page() {
    let office = Office::open().await;
    for path in ["/api/v1/none", "/api/v2/session", "/api/none", "/api"] {
        let answer = office.ask(Method::GET, path).header("Accept", "*/*").send().await.unwrap();
        assert_eq!(problem(answer).await, is(404, "no-such-address"), "{path}");
    }
    let method = office.ask(Method::PUT, "/api/v1/session").send().await.unwrap();
    assert_eq!(problem(method).await, is(405, "no-such-method"));
    let health: serde_json::Value =
        office.ask(Method::GET, "/healthz").send().await.unwrap().json().await.unwrap();
    assert_eq!(health["protocol"], 1);
}
