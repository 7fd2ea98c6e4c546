//! Pages and tablets are told that something is new, without asking again and again.

use crate::office::Office;
use crate::tablet::{Stop, Tablet};
use crate::upload::photo;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::json;
use std::time::Duration;

/// A line for news that is open.
struct Line(Response);

impl Line {
    async fn open(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let mut line = Self(answer);
        line.changed().await;
        line
    }

    /// Waits for news, not for a time: the limit only ends a test that has failed.
    async fn changed(&mut self) {
        let mut text = String::new();
        let news = async {
            while !text.contains("event: changed\ndata: {\"site\":\"") {
                let piece = self.0.chunk().await.unwrap().expect("the line stays open");
                text.push_str(std::str::from_utf8(&piece).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(20), news).await.expect("news");
    }
}

#[tokio::test]
async fn a_push_pokes_the_console_and_the_other_tablets() {
    let office = Office::open().await;
    let (mut sender, other) = (Tablet::enrol(&office).await, Tablet::enrol(&office).await);
    let person = office.person("branch").await;
    let mut page = Line::open(person.ask(Method::GET, "/events")).await;
    let mut tablet = Line::open(other.ask(Method::GET, "/events")).await;
    let op = sender.answer(&Stop::first(&person).await, "pass");
    assert_eq!(sender.push(&[op]).await.status(), 200);
    page.changed().await;
    tablet.changed().await;
}

#[tokio::test]
async fn a_photo_that_has_arrived_pokes_the_console() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let person = office.person("branch").await;
    let mut page = Line::open(person.ask(Method::GET, "/events")).await;
    tablet.upload(&photo(30, 1_000)).await;
    page.changed().await;
}

#[tokio::test]
async fn a_tablet_that_was_withdrawn_hears_of_it_and_then_no_more() {
    let office = Office::open().await;
    let (tablet, other) = (Tablet::enrol(&office).await, Tablet::enrol(&office).await);
    let mut line = Line::open(tablet.ask(Method::GET, "/events")).await;
    let mut another = Line::open(other.ask(Method::GET, "/events")).await;
    let admin = office.person("office").await;
    assert_eq!(admin.post(&format!("/tablets/{}/revoke", tablet.id), &json!({})).await.status(), 200);
    line.changed().await;
    let ended = async { while line.0.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the line ends");
    another.changed().await;
}

#[tokio::test]
async fn one_line_too_many_ends_the_oldest_and_nobody_elses() {
    let office = Office::open().await;
    let (tablet, other) = (Tablet::enrol(&office).await, Tablet::enrol(&office).await);
    let mut another = Line::open(other.ask(Method::GET, "/events")).await;
    let mut lines = Vec::new();
    for _ in 0..17 {
        lines.push(Line::open(tablet.ask(Method::GET, "/events")).await);
    }
    let ended = async { while lines[0].0.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the oldest ends");
    other.upload(&photo(31, 1_000)).await;
    for line in lines[1..].iter_mut().chain([&mut another]) {
        line.changed().await;
    }
}

#[tokio::test]
async fn an_open_line_does_not_keep_the_hub_from_stopping() {
    let office = Office::open().await;
    let cookie = office.person("branch").await.cookie;
    let request = office.ask(Method::GET, "/api/v1/events").header("Cookie", cookie);
    let mut line = Line::open(request).await;
    office.close().await;
    assert!(line.0.chunk().await.unwrap().is_none(), "the line ended, and was not cut");
}
