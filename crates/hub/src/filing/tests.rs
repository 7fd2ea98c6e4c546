//! What becomes of issues that people change or delete in the tracker that the office had before.

use super::*;
use crate::conformance::issues::{PIPE, fail};
use crate::conformance::kit::garden;
use crate::store::sqlite::SqliteStore;
use crate::world::RealWorld;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use standpipe_bridge::redmine::Language;
use standpipe_domain::record::issue_id;
use std::sync::{Mutex, MutexGuard};
use tempfile::TempDir;
use uuid::Uuid;

/// Somebody else's server, with these issues: what each carries in the field of marks, by its number.
#[derive(Clone, Default)]
struct There(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    issues: BTreeMap<u64, String>,
    /// Numbers that it skips in lists.
    skipped: Vec<u64>,
    /// What it answers all the same at these paths.
    says: BTreeMap<String, (u16, &'static str)>,
    asked: Vec<String>,
}

impl There {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn shown(number: u64, mark: &str) -> Value {
        json!({ "id": number, "custom_fields": [{ "id": 1, "value": mark }] })
    }

    fn answers(&mut self, Call { method, path, body }: &Call) -> (u16, String) {
        self.asked.push(format!("{method} {path}"));
        if let Some((status, said)) = self.says.get(path) {
            return (*status, (*said).to_owned());
        }
        if let Some(body) = body {
            let number = self.issues.keys().last().map_or(1, |last| last + 1);
            let mark = body["issue"]["custom_fields"][0]["value"].as_str().unwrap();
            self.issues.insert(number, mark.to_owned());
            return (201, json!({ "issue": Self::shown(number, mark) }).to_string());
        }
        if let Some(number) = path.strip_prefix("/issues/").and_then(|path| path.strip_suffix(".json")) {
            let number = number.parse().unwrap();
            return match self.issues.get(&number) {
                Some(mark) => (200, json!({ "issue": Self::shown(number, mark) }).to_string()),
                None => (404, String::new()),
            };
        }
        let is_shown = |(number, mark): &(&u64, &String)| {
            let fits = path.contains("cf_1=*") || path.contains(&format!("cf_1={mark}"));
            fits && !mark.is_empty() && !self.skipped.contains(number)
        };
        let shown = self.issues.iter().filter(is_shown);
        let shown: Vec<Value> = shown.map(|(number, mark)| Self::shown(*number, mark)).collect();
        (200, json!({ "total_count": shown.len(), "issues": shown }).to_string())
    }
}

impl Carry for There {
    fn send(&self, call: Call) -> BoxFuture<'static, Result<(u16, Bytes), Broken>> {
        let (status, body) = self.state().answers(&call);
        Box::pin(async move { Ok((status, body.into())) })
    }
}

/// A hub with four issues.
struct Hub {
    store: Arc<dyn Store>,
    world: Arc<dyn World>,
    issues: Vec<IssueId>,
    _dir: TempDir,
}

impl Hub {
    async fn open() -> Self {
        let dir = TempDir::new().unwrap();
        let store = SqliteStore::open(&dir.path().join("hub.db"), Arc::new(RealWorld)).await.unwrap();
        let (world, mut tablet) = garden(&store).await;
        let mut issues = Vec::new();
        for item in ["door-seal", "access-clear", "drain-clear", "pump-attended"] {
            issues.push(issue_id(fail(&store, &mut tablet, PIPE, item, "漏水").await));
        }
        issues.sort();
        Self { store: Arc::new(store), world, issues, _dir: dir }
    }

    fn filer(&self, there: &There) -> Filer {
        let redmine = Redmine { project: "garden".into(), field: 1, closed: 5, language: Language::English };
        let tracker = Tracker { redmine, address: "http://there".into(), carry: Arc::new(there.clone()) };
        Filer::new(Arc::clone(&self.store), Arc::clone(&self.world), Arc::new(tracker), Arc::default())
    }

    /// Starts, and works until there is nothing more to do for now.
    async fn works(&self, there: &There) {
        let mut filer = self.filer(there);
        there.state().asked.clear();
        while filer.turn().await.unwrap().is_zero() {}
    }

    async fn filings(&self) -> Vec<Filing> {
        let known = self.store.filings().await.unwrap();
        assert!(known.iter().map(|(issue, _)| issue).eq(&self.issues));
        known.into_iter().map(|(_, filing)| filing).collect()
    }
}

#[tokio::test]
async fn what_somebody_deleted_there_is_gone_and_comes_back_only_when_somebody_says_so() {
    let hub = Hub::open().await;
    let there = There::default();
    hub.works(&there).await;
    let filed = hub.filings().await;
    let number_of = |which: usize| match filed[which] {
        Filing::Filed(number) => number,
        _ => panic!("not filed: {filed:?}"),
    };
    let [skipped, emptied, unanswered, deleted] = [0, 1, 2, 3].map(number_of);

    {
        let mut there = there.state();
        there.skipped.push(skipped);
        there.issues.insert(emptied, String::new());
        there.issues.remove(&unanswered);
        there.issues.remove(&deleted);
        there.says.insert(format!("/issues/{unanswered}.json"), (500, ""));
    }
    hub.works(&there).await;
    let mut gone = filed.clone();
    gone[3] = Filing::Gone(deleted);
    assert_eq!(hub.filings().await, gone);
    hub.works(&there).await;
    assert_eq!(hub.filings().await, gone);
    assert!(!there.state().asked.iter().any(|call| call.starts_with("POST")), "{:?}", there.state().asked);

    // Its number is given to another's issue.
    there.state().says.clear();
    there.state().issues.insert(unanswered, Uuid::from_u128(9).to_string());
    hub.works(&there).await;
    gone[2] = Filing::Gone(unanswered);
    assert_eq!(hub.filings().await, gone);

    // A tracker that was put back shows one again; a person wants the other.
    there.state().issues.insert(unanswered, hub.issues[2].to_string());
    assert!(hub.store.bring_again(hub.issues[3]).await.unwrap());
    hub.works(&there).await;
    let known = hub.filings().await;
    assert_eq!(known[..3], filed[..3]);
    let Filing::Filed(again) = known[3] else { panic!("not filed: {known:?}") };
    assert_eq!(there.state().issues[&again], hub.issues[3].to_string());
}

#[tokio::test]
async fn a_tracker_that_gives_no_word_on_some_is_asked_about_the_others_all_the_same() {
    let hub = Hub::open().await;
    let there = There::default();
    for (number, issue) in (1..).zip(&hub.issues) {
        hub.store.file(*issue, Filing::Filed(number)).await.unwrap();
    }
    for number in 1..=3 {
        there.state().says.insert(format!("/issues/{number}.json"), (403, ""));
    }
    let mut filer = hub.filer(&there);
    assert!(!filer.sweep().await.unwrap(), "something is open");
    assert_eq!(hub.filings().await, [1, 2, 3, 4].map(Filing::Filed));
    assert!(!filer.sweep().await.unwrap(), "something is open");
    let gone = [Filing::Filed(1), Filing::Filed(2), Filing::Filed(3), Filing::Gone(4)];
    assert_eq!(hub.filings().await, gone);
    there.state().says.clear();
    assert!(filer.sweep().await.unwrap());
    assert_eq!(hub.filings().await, [1, 2, 3, 4].map(Filing::Gone));
}
