//! The tracker that the office had before: somebody else's server, which speaks Redmine's words and behaves like one. It
//! does not fail here; the way to it does.

use crate::net::{Net, Target};
use crate::world::time;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use standpipe_bridge::redmine::{Call, Language, Redmine};
use standpipe_domain::ids::IssueId;
use standpipe_hub::filing::{Carry, Tracker};
use standpipe_world::Broken;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The field of its issues that carries the mark, and the status of what is closed.
const FIELD: u32 = 1;
const CLOSED: u32 = 5;
/// What was created is shown so much later.
const SHOWN_AFTER: Duration = Duration::from_millis(300);
/// What has been shown for so long everybody has seen who looked.
const SEEN_AFTER: Duration = Duration::from_secs(5);
/// Between two creates whose fate nobody knew.
const APART: Duration = Duration::from_secs(60);

/// The server, as it stands. Whoever holds it speaks with the same one.
#[derive(Clone, Default)]
pub struct Outside(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    issues: Vec<Issue>,
    /// When the hub last sent a create for each issue. Forgotten where the hub was put back to before.
    sent: BTreeMap<IssueId, Duration>,
    wrong: Option<String>,
}

struct Issue {
    mark: IssueId,
    is_closed: bool,
    at: Duration,
}

impl Outside {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tracker as a hub is told of it.
    pub fn tracker(&self, net: &Net) -> Tracker {
        let redmine =
            Redmine { project: "garden".into(), field: FIELD, closed: CLOSED, language: Language::English };
        let carry = Arc::new(Line { outside: self.clone(), net: net.clone() });
        Tracker { redmine, address: "http://tracker".into(), carry }
    }

    /// What answers at its address.
    pub fn router(&self) -> Router {
        let outside = self.clone();
        Router::new().fallback(move |request: Request| {
            let outside = outside.clone();
            async move {
                let (head, body) = request.into_parts();
                let Ok(body) = to_bytes(body, usize::MAX).await else { return answer(400, &Value::Null) };
                let path = head.uri.path_and_query().map_or("", |path| path.as_str());
                outside.state().hears(head.method.as_str(), path, &body)
            }
        })
    }

    /// The hub was put back to an old state, and may have forgotten what it sent.
    pub fn hub_was_restored(&self) {
        self.state().sent.clear();
    }

    /// What the hub did that it must not do.
    pub fn wrong(&self) -> Option<String> {
        self.state().wrong.clone()
    }

    /// What is open here, by its mark.
    pub fn open(&self) -> BTreeMap<IssueId, Vec<u64>> {
        let mut open: BTreeMap<IssueId, Vec<u64>> = BTreeMap::new();
        for (number, issue) in (1..).zip(&self.state().issues) {
            if !issue.is_closed {
                open.entry(issue.mark).or_default().push(number);
            }
        }
        open
    }
}

impl State {
    /// The hub sends a create: at most one goes out whose fate nobody knows.
    fn is_sent(&mut self, mark: IssueId) {
        let now = time().now();
        let is_seen = |issue: &Issue| issue.mark == mark && issue.at + SEEN_AFTER < now;
        if self.issues.iter().any(is_seen) {
            self.wrong =
                Some(format!("the hub sends the issue {mark} once more, though the tracker shows it"));
        }
        if self.sent.insert(mark, now).is_some_and(|before| now < before + APART) {
            self.wrong = Some(format!("the hub sends the issue {mark} once more at once"));
        }
    }

    fn hears(&mut self, method: &str, path: &str, body: &[u8]) -> Response {
        let said: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        match method {
            "POST" => {
                let mark = said["issue"]["custom_fields"][0]["value"].as_str();
                let Some(mark) = mark.and_then(|mark| mark.parse().ok()) else {
                    return answer(422, &json!({ "errors": ["Mark is invalid"] }));
                };
                self.issues.push(Issue { mark, is_closed: false, at: time().now() });
                answer(201, &json!({ "issue": self.shown(self.issues.len() - 1) }))
            }
            "PUT" => {
                let number = path.trim_start_matches("/issues/").trim_end_matches(".json").parse::<usize>();
                let Some(issue) = number.ok().and_then(|number| self.issues.get_mut(number.checked_sub(1)?))
                else {
                    return answer(404, &Value::Null);
                };
                issue.is_closed |= said["issue"]["status_id"] == CLOSED;
                answer(204, &Value::Null)
            }
            _ => self.list(path),
        }
    }

    fn list(&self, path: &str) -> Response {
        let asked = |name: &str| {
            let pairs = path.split(['?', '&']).filter_map(|pair| pair.split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
        };
        let mark = asked("cf_1").unwrap_or_default();
        let every = asked("status_id").is_some_and(|status| status == "*");
        let number = |name: &str| asked(name).and_then(|number| number.parse().ok()).unwrap_or(0);
        let fits = |issue: &Issue| {
            issue.at + SHOWN_AFTER <= time().now()
                && (every || !issue.is_closed)
                && (mark == "*" || issue.mark.to_string() == mark)
        };
        let found: Vec<usize> = (0..self.issues.len()).filter(|at| fits(&self.issues[*at])).collect();
        let page = found.iter().skip(number("offset")).take(number("limit").min(100));
        let issues: Vec<Value> = page.map(|at| self.shown(*at)).collect();
        answer(200, &json!({ "issues": issues, "total_count": found.len() }))
    }

    fn shown(&self, at: usize) -> Value {
        let Issue { mark, is_closed, .. } = &self.issues[at];
        let status = json!({ "id": if *is_closed { CLOSED } else { 1 }, "is_closed": is_closed });
        let mark = json!([{ "id": FIELD, "value": mark }]);
        json!({ "id": at + 1, "author": { "id": 1 }, "status": status, "custom_fields": mark })
    }
}

fn answer(status: u16, body: &Value) -> Response {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let mut response = Response::new(body);
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    response
}

/// The way from the hub to the tracker.
struct Line {
    outside: Outside,
    net: Net,
}

impl Carry for Line {
    fn send(&self, call: Call) -> BoxFuture<'static, Result<(u16, Bytes), Broken>> {
        let mark = call.body.as_ref().map(|body| &body["issue"]["custom_fields"][0]["value"]);
        if let Some(Ok(mark)) = mark.and_then(Value::as_str).map(str::parse) {
            self.outside.state().is_sent(mark);
        }
        let net = self.net.clone();
        Box::pin(async move {
            let body = call.body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
            let request = http::Request::builder().method(call.method).uri(call.path).body(body);
            let request = request.map_err(|error| Broken(error.to_string()))?;
            let reply = net.carry(Target::Tracker, request, &AtomicU64::new(0)).await?;
            let (status, mut parts, mut body) = (reply.status.as_u16(), reply.body, Vec::new());
            while let Some(part) = parts.next().await {
                body.extend_from_slice(&part?);
            }
            Ok((status, body.into()))
        })
    }
}
