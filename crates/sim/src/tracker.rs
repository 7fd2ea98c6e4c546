//! The tracker that the office had before: somebody else's server, which speaks Redmine's words and behaves like one. It
//! fails in its own ways, as the way to it does, and people work in it.

mod line;

use crate::dice::Dice;
use crate::effects::{Effect, happens};
use crate::net::Net;
use crate::story::{Deed, Mood};
use crate::world::time;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use line::Line;
use serde_json::{Value, json};
use standpipe_bridge::Filing;
use standpipe_bridge::redmine::{Language, Redmine};
use standpipe_domain::ids::IssueId;
use standpipe_hub::filing::Tracker;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The field of its issues that carries the mark, and the status of what is closed.
const FIELD: u32 = 1;
const CLOSED: u32 = 5;
/// Whom the hub's key belongs to, and somebody else.
const HUB: u64 = 1;
const SOMEBODY: u64 = 2;
/// What was created is shown in lists so much later.
const SHOWN_AFTER: Duration = Duration::from_millis(300);
/// What has been shown for so long everybody has seen who looked.
const SEEN_AFTER: Duration = Duration::from_secs(5);
/// Between two creates whose fate nobody knew.
const APART: Duration = Duration::from_secs(60);
/// What somebody in between says, or a server that has more to do than it can.
const PAGE: &str = "<!DOCTYPE html><title>One moment, please</title>";

/// The server, as it stands. Whoever holds it speaks with the same one.
#[derive(Clone)]
pub struct Outside(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    dice: Dice,
    /// How it will answer, and for how long, once something is created: elsewhere hardly a story would notice.
    moods: VecDeque<(Mood, Duration)>,
    /// How it answers, and until when.
    mood: Option<(Mood, Duration)>,
    /// What people are going to do here one after the other, the next of them then.
    plans: VecDeque<(u64, Deed)>,
    due: Option<Duration>,
    /// By their numbers.
    issues: BTreeMap<u64, Issue>,
    /// When the hub last sent a create for each issue. Forgotten where it heard that nothing came of it, and where the hub was
    /// put back to before.
    sent: BTreeMap<IssueId, Duration>,
    /// Those of which the hub knew that they were here when somebody deleted them: never to be sent by itself again.
    ended: BTreeSet<IssueId>,
    /// Those that somebody deleted, and those to which somebody did anything.
    deleted: BTreeSet<IssueId>,
    touched: BTreeSet<IssueId>,
    /// Something was deleted since the hub was last made to look.
    is_unseen: bool,
    wrong: Option<String>,
}

struct Issue {
    mark: IssueId,
    author: u64,
    is_closed: bool,
    at: Duration,
}

impl Outside {
    pub fn new(seed: u64) -> Self {
        let dice = Dice::apart(seed, "tracker's own");
        Self(Arc::new(Mutex::new(State { dice, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tracker as a hub is told of it.
    pub fn tracker(&self, net: &Net) -> Tracker {
        let redmine =
            Redmine { project: "garden".into(), field: FIELD, closed: CLOSED, language: Language::English };
        let carry = Arc::new(Line::new(self, net));
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

    /// It answers otherwise for so long, beginning with what is created next.
    pub fn will_be(&self, mood: Mood, lasts: Duration) {
        self.state().moods.push_back((mood, lasts));
    }

    /// How many moods are still to come: each begins with what is created then.
    pub fn moods_to_come(&self) -> u32 {
        u32::try_from(self.state().moods.len()).unwrap_or(u32::MAX)
    }

    /// Somebody is going to do something here, once there is something.
    pub fn will(&self, which: u64, deed: Deed) {
        let mut state = self.state();
        state.plans.push_back((which, deed));
        state.plan();
    }

    /// What somebody does now.
    pub fn due(&self) -> Option<(u64, Deed)> {
        let mut state = self.state();
        if state.due.is_none_or(|due| time().now() < due) {
            return None;
        }
        state.due = None;
        state.plans.pop_front()
    }

    /// Somebody does something to an issue that is here. The hub knows so much of its own. Gives which issue it was, and its
    /// number.
    pub fn does(&self, which: u64, deed: Deed, known: &BTreeMap<IssueId, Filing>) -> Option<(IssueId, u64)> {
        let mut state = self.state();
        let numbers: Vec<u64> = state.issues.keys().copied().collect();
        let number = *Dice::new(which).pick(&numbers)?;
        let issue = state.issues.get_mut(&number)?;
        let mark = issue.mark;
        match deed {
            Deed::Closes => {
                happens(Effect::ClosedInTracker);
                issue.is_closed = true;
            }
            Deed::Copies => {
                happens(Effect::CopiedInTracker);
                state.adds(mark, SOMEBODY);
            }
            Deed::Deletes => {
                happens(Effect::DeletedInTracker);
                state.issues.remove(&number);
                state.is_unseen = true;
                state.deleted.insert(mark);
                if matches!(known.get(&mark), Some(Filing::Filed(_) | Filing::Gone(_))) {
                    state.ended.insert(mark);
                }
            }
        }
        state.touched.insert(mark);
        state.plan();
        Some((mark, number))
    }

    /// The hub was put back to an old state, and may have forgotten what it sent.
    pub fn hub_was_restored(&self) {
        let mut state = self.state();
        state.sent.clear();
        state.ended.clear();
    }

    /// What the hub did that it must not do.
    pub fn wrong(&self) -> Option<String> {
        self.state().wrong.clone()
    }

    /// Whether something was deleted since this was last asked, and nobody is about to do anything more.
    pub fn hub_looks_again(&self) -> bool {
        let mut state = self.state();
        state.due.is_none() && std::mem::take(&mut state.is_unseen)
    }

    /// The issues of the hub that are here.
    pub fn marks(&self) -> BTreeSet<IssueId> {
        self.state().issues.values().map(|issue| issue.mark).collect()
    }

    /// Whether each of the hub's issues is here as the hub says: once; or as somebody left it.
    pub fn agrees(&self, known: &BTreeMap<IssueId, Filing>) -> Result<(), String> {
        let state = self.state();
        let mut by_mark: BTreeMap<IssueId, Vec<(u64, &Issue)>> = BTreeMap::new();
        for (number, issue) in &state.issues {
            by_mark.entry(issue.mark).or_default().push((*number, issue));
        }
        for (mark, filing) in known {
            let here = by_mark.get(mark).map(Vec::as_slice).unwrap_or_default();
            let open: Vec<_> = here.iter().filter(|(_, issue)| !issue.is_closed).collect();
            let is_so = match filing {
                Filing::Gone(_) => here.is_empty() && state.deleted.contains(mark),
                Filing::Filed(known) if state.touched.contains(mark) => {
                    // What somebody else made of it is theirs.
                    let is_theirs = open.first().is_some_and(|(_, issue)| issue.author != HUB);
                    let own = open.iter().filter(|(_, issue)| issue.author == HUB).count();
                    here.iter().any(|(number, _)| number == known) && (is_theirs || own <= 1)
                }
                Filing::Filed(known) => matches!(&*open, [(number, _)] if number == known),
                _ => false,
            };
            if !is_so {
                let numbers: Vec<u64> = open.iter().map(|(number, _)| *number).collect();
                let all = here.len();
                return Err(format!(
                    "the issue {mark} is outside as {numbers:?}, and {all} in all; the hub says {filing:?}"
                ));
            }
        }
        Ok(())
    }
}

impl State {
    /// The hub sends a create: at most one goes out whose fate nobody knows.
    fn is_sent(&mut self, mark: IssueId) {
        let now = time().now();
        let is_seen = |issue: &Issue| issue.mark == mark && issue.at + SEEN_AFTER < now;
        if self.issues.values().any(is_seen) {
            self.wrong =
                Some(format!("the hub sends the issue {mark} once more, though the tracker shows it"));
        }
        if self.ended.contains(&mark) {
            self.wrong =
                Some(format!("the hub sends the issue {mark} once more, though somebody deleted it"));
        }
        if self.sent.insert(mark, now).is_some_and(|before| now < before + APART) {
            self.wrong = Some(format!("the hub sends the issue {mark} once more at once"));
        }
    }

    /// People see what is here within a minute or two.
    fn plan(&mut self) {
        if let Some((which, _)) = self.plans.front().filter(|_| self.due.is_none() && !self.issues.is_empty())
        {
            self.due = Some(time().now() + Duration::from_millis(which % 90_000));
        }
    }

    fn adds(&mut self, mark: IssueId, author: u64) {
        // As on SQLite: the number that was deleted last is given again.
        let number = self.issues.last_key_value().map_or(1, |(last, _)| last + 1);
        self.issues.insert(number, Issue { mark, author, is_closed: false, at: time().now() });
        self.plan();
    }

    /// Answers as its mood is.
    fn hears(&mut self, method: &str, path: &str, body: &[u8]) -> Response {
        let said: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let (changes, now) = (method != "GET", time().now());
        self.mood = self.mood.filter(|(_, until)| now < *until);
        if method == "POST" && self.mood.is_none() {
            self.mood = self.moods.pop_front().map(|(mood, lasts)| (mood, now + lasts));
        }
        match self.mood.map(|(mood, _)| mood) {
            Some(Mood::Locked) => {
                happens(Effect::TrackerLocked);
                answer(401, &Value::Null)
            }
            Some(Mood::Covered) => {
                happens(Effect::TrackerCovered);
                // What is asked may be passed on all the same.
                if changes && self.dice.chance(500) {
                    self.does(method, path, &said);
                }
                page(200)
            }
            Some(Mood::Refuses { which }) if method == "POST" && is_one(&said, which) => {
                happens(Effect::TrackerRefused);
                answer(422, &json!({ "errors": ["Floor cannot be blank"] }))
            }
            Some(Mood::Fails) => {
                let how = match self.dice.below(100) {
                    0..8 => answer(500, &Value::Null),
                    8..12 => page(503),
                    12..17 => answer(429, &Value::Null),
                    17..24 if changes => answer(422, &json!({ "errors": [] })),
                    24..32 => page(200),
                    32..44 if changes => {
                        // It is done, and then something else goes wrong.
                        let failed =
                            if self.dice.chance(500) { answer(500, &Value::Null) } else { page(503) };
                        self.does(method, path, &said);
                        failed
                    }
                    _ => return self.does(method, path, &said),
                };
                happens(Effect::TrackerFailed);
                how
            }
            _ => self.does(method, path, &said),
        }
    }

    fn does(&mut self, method: &str, path: &str, said: &Value) -> Response {
        let number = path.strip_prefix("/issues/").and_then(|path| path.strip_suffix(".json"));
        let number = number.and_then(|number| number.parse::<u64>().ok());
        match (method, number) {
            ("POST", _) => {
                let mark = said["issue"]["custom_fields"][0]["value"].as_str();
                let Some(mark) = mark.and_then(|mark| mark.parse().ok()) else {
                    return answer(422, &json!({ "errors": ["Mark is invalid"] }));
                };
                self.adds(mark, HUB);
                let added = self.issues.last_key_value();
                answer(201, &json!({ "issue": added.map(|(number, issue)| issue.shown(*number)) }))
            }
            ("PUT", Some(number)) => {
                let Some(issue) = self.issues.get_mut(&number) else { return answer(404, &Value::Null) };
                issue.is_closed |= said["issue"]["status_id"] == CLOSED;
                answer(204, &Value::Null)
            }
            (_, Some(number)) => match self.issues.get(&number) {
                Some(issue) => answer(200, &json!({ "issue": issue.shown(number) })),
                None => answer(404, &Value::Null),
            },
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
        let found: Vec<_> = self.issues.iter().filter(|(_, issue)| fits(issue)).collect();
        let page = found.iter().skip(number("offset")).take(number("limit").min(100));
        let issues: Vec<Value> = page.map(|(number, issue)| issue.shown(**number)).collect();
        answer(200, &json!({ "issues": issues, "total_count": found.len() }))
    }
}

impl Issue {
    fn shown(&self, number: u64) -> Value {
        let Self { mark, author, is_closed, .. } = self;
        let status = json!({ "id": if *is_closed { CLOSED } else { 1 }, "is_closed": is_closed });
        let mark = json!([{ "id": FIELD, "value": mark }]);
        json!({ "id": number, "author": { "id": author }, "status": status, "custom_fields": mark })
    }
}

/// Whether what is said is of the one issue of four that is refused.
fn is_one(said: &Value, which: u8) -> bool {
    let mark = said["issue"]["custom_fields"][0]["value"].as_str().and_then(|mark| mark.parse().ok());
    mark.is_some_and(|IssueId(mark)| mark.as_bytes()[15] % 4 == which)
}

fn answer(status: u16, body: &Value) -> Response {
    said(status, if body.is_null() { String::new() } else { body.to_string() })
}

fn page(status: u16) -> Response {
    said(status, PAGE.into())
}

fn said(status: u16, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    response
}
