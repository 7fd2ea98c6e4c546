//! The tracker that the office had before, as the console shows it.

use crate::desk::issue;
use crate::office::{Office, is, problem};
use crate::tablet::Tablet;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use standpipe_bridge::Filing;
use standpipe_bridge::redmine::{Call, Language, Redmine};
use standpipe_domain::ids::IssueId;
use standpipe_hub::filing::{Carry, Tracker};
use standpipe_hub::store::Store;
use standpipe_hub::world::Broken;
use standpipe_oplog::chain::sha256;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Somebody else's server, which has nothing and takes everything. It tells of each create.
struct Empty(UnboundedSender<()>);

impl Carry for Empty {
    fn send(&self, call: Call) -> BoxFuture<'static, Result<(u16, Bytes), Broken>> {
        let answer = match call.body {
            None => (200, json!({ "issues": [], "total_count": 0 })),
            Some(body) => {
                let _ = self.0.send(());
                (201, json!({ "issue": { "id": 7, "custom_fields": body["issue"]["custom_fields"] } }))
            }
        };
        Box::pin(async move { Ok((answer.0, answer.1.to_string().into())) })
    }
}

#[tokio::test]
async fn what_was_deleted_there_is_brought_again_at_once_by_who_directs_issues() {
    let (created, mut creates) = unbounded_channel();
    let redmine = Redmine { project: "garden".into(), field: 1, closed: 5, language: Language::English };
    let address = "http://there".to_owned();
    let office = Office::open_beside(Tracker { redmine, address, carry: Arc::new(Empty(created)) }).await;
    let mut tablet = Tablet::enrol(&office).await;
    let (admin, staff) = (office.person("office").await, office.person("property").await);
    let id = issue(&mut tablet, &admin, sha256(b"before"), "image/jpeg").await;
    creates.recv().await.unwrap();
    let key = IssueId(id.parse().unwrap());
    let filed = async {
        while office.store.filing(key).await.unwrap() != Some(Filing::Filed(7)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), filed).await.expect("it is filed");
    let outside = async || admin.get(&format!("/issues/{id}")).await["outside"].clone();
    let there = json!({ "state": "filed", "number": 7, "address": "http://there/issues/7" });
    assert_eq!(outside().await, there);

    let path = format!("/issues/{id}/outside");
    let left: Value = admin.post(&path, &Value::Null).await.json().await.unwrap();
    assert_eq!(left["outside"], there, "nobody deleted it");
    office.store.file(key, Filing::Gone(7)).await.unwrap();
    assert_eq!(outside().await, json!({ "state": "gone", "number": 7 }));
    assert_eq!(problem(staff.post(&path, &Value::Null).await).await, is(403, "not-allowed"));
    assert_eq!(outside().await["state"], "gone");
    assert_eq!(admin.post(&path, &Value::Null).await.status(), 200);
    // The hub has nothing else to do there for ten minutes.
    let again = tokio::time::timeout(Duration::from_secs(60), creates.recv()).await;
    again.expect("it is brought at once").unwrap();
}
