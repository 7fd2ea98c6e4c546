//! Which issues are in the tracker that the office had before.

use super::issues::{PIPE, fail};
use super::kit::garden;
use crate::store::Store;
use standpipe_bridge::Filing;
use standpipe_domain::record::issue_id;

pub async fn what_the_outside_tracker_has_not_got_is_listed_by_how_far_it_is(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let mut issues = Vec::new();
    for item in ["door-seal", "access-clear", "drain-clear", "pump-attended"] {
        issues.push(issue_id(fail(store, &mut tablet, PIPE, item, "漏水").await));
    }
    let waits: Vec<_> = issues.iter().map(|id| (*id, Filing::Waits)).collect();
    assert_eq!(store.not_filed(10).await.unwrap(), waits);
    assert_eq!(store.filing(issues[0]).await.unwrap(), None);

    let refused = Filing::Refused("Subject 太长".into());
    store.file(issues[0], refused.clone()).await.unwrap();
    store.file(issues[1], Filing::Sent).await.unwrap();
    store.file(issues[2], Filing::Sent).await.unwrap();
    store.file(issues[2], Filing::Filed(7)).await.unwrap();
    let open = [(issues[1], Filing::Sent), (issues[3], Filing::Waits), (issues[0], refused)];
    assert_eq!(store.not_filed(10).await.unwrap(), open);
    assert_eq!(store.not_filed(1).await.unwrap(), open[..1]);
    assert_eq!(store.filing(issues[2]).await.unwrap(), Some(Filing::Filed(7)));

    // What somebody deleted there waits for a person, and only that.
    store.file(issues[2], Filing::Gone(7)).await.unwrap();
    assert_eq!(store.filing(issues[2]).await.unwrap(), Some(Filing::Gone(7)));
    assert_eq!(store.not_filed(10).await.unwrap(), open);
    let mut known =
        vec![(issues[0], open[2].1.clone()), (issues[1], Filing::Sent), (issues[2], Filing::Gone(7))];
    known.sort_by_key(|(issue, _)| *issue);
    assert_eq!(store.filings().await.unwrap(), known);
    assert!(!store.bring_again(issues[1]).await.unwrap(), "it was just sent");
    assert!(store.bring_again(issues[2]).await.unwrap());
    assert!(!store.bring_again(issues[2]).await.unwrap());
    assert_eq!(store.filing(issues[2]).await.unwrap(), Some(Filing::Waits));
    assert_eq!(store.filing(issues[1]).await.unwrap(), Some(Filing::Sent));
}
