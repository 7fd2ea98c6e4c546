//! What somebody deleted, and was kept.

use super::kit::{MORNING, Tablet, check, garden, ops, remove_issue, round};
use super::seals::{gone, recorded, sealed};
use crate::demo;
use crate::store::Store;
use crate::world::{World, day};
use serde_json::{Value, json};
use standpipe_domain::ids::{FindingId, Millis};
use standpipe_domain::kept::KeptAgainstDelete;
use standpipe_domain::office::{IssueFilter, OfficeRound};
use standpipe_domain::record::entity;
use standpipe_oplog::pen::Draft;

const PIPE: &str = "B4-01-LG";

async fn view(store: &dyn Store) -> OfficeRound {
    store.round(round(), day(MORNING)).await.unwrap().unwrap()
}

/// What the round, the check and the finding say; no other check says anything.
async fn said(store: &dyn Store, of: FindingId) -> [Option<KeptAgainstDelete>; 3] {
    let view = view(store).await;
    let finding = view.findings.into_iter().find(|finding| finding.id == of).unwrap();
    let (own, others): (Vec<_>, Vec<_>) = view.checks.into_iter().partition(|it| it.id == check(PIPE));
    assert!(others.iter().all(|check| check.kept.is_none()));
    [view.kept, own[0].kept.clone(), finding.kept]
}

async fn by(store: &dyn Store, account: &str, at: Millis, signed: bool) -> Option<KeptAgainstDelete> {
    let by = store.who(demo::person(account)).await.unwrap().unwrap().name;
    Some(KeptAgainstDelete { by, at, signed })
}

pub async fn what_was_recorded_unseen_keeps_a_record_and_says_who_deleted_it(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let mut office = Tablet::enrol(store, &world, "office").await;
    let mut branch = Tablet::enrol(store, &world, "branch").await;
    let plan = ops(store).await;
    let (recorded, _) = recorded(store, &mut tablet).await;
    let finding = recorded.finding;
    assert_eq!(said(store, finding).await, [None, None, None]);

    world.wait(60_000);
    branch.write([gone(entity::CHECK, check(PIPE).0, &plan)]);
    world.wait(60_000);
    let late = world.now();
    office.record(store, [gone(entity::CHECK, check(PIPE).0, &plan)]).await;
    // Deleted before, and heard of later.
    assert_eq!(branch.push(store).await, []);
    tablet.record(store, [gone(entity::FINDING, finding.0, &plan)]).await;
    branch.record(store, [gone(entity::ROUND, round().0, &[])]).await;
    let told = [
        by(store, "branch", late, false).await,
        by(store, "office", late, false).await,
        by(store, "inspector", late, false).await,
    ];
    assert_eq!(said(store, finding).await, told);
    store.rebuild().await.unwrap();
    assert_eq!(said(store, finding).await, told);

    // Whoever has seen what is there by now deletes it for good, with what stands in it.
    let all = ops(store).await;
    office.record(store, [gone(entity::CHECK, check(PIPE).0, &all)]).await;
    assert!(view(store).await.checks.iter().any(|it| it.id == check(PIPE)), "its finding is there");
    tablet.record(store, [gone(entity::FINDING, finding.0, &all)]).await;
    assert!(said(store, finding).await.iter().all(Option::is_some), "and the issue of that");
    remove_issue(store, &world, finding).await;
    assert!(view(store).await.checks.iter().all(|it| it.id != check(PIPE)));
}

pub async fn what_stands_in_a_deleted_record_keeps_it_in_sight(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let mut office = Tablet::enrol(store, &tablet.world, "office").await;
    let checks: Vec<_> = view(store).await.checks.into_iter().map(|it| it.id).collect();
    // What is to be seen of the round: whether it says that it was kept, and its checks and findings.
    let shown = async || {
        let shown = store.round(round(), day(MORNING)).await.unwrap();
        let before = shown.as_ref().map(|it| (it.kept.is_some(), it.checks.len(), it.findings.len()));
        store.rebuild().await.unwrap();
        let after = store.round(round(), day(MORNING)).await.unwrap();
        assert_eq!(after, shown, "made anew out of the log");
        before
    };
    let all = ops(store).await;
    office.record(store, [gone(entity::ROUND, round().0, &all)]).await;
    assert_eq!(shown().await, Some((true, checks.len(), 0)), "nobody deleted its checks");
    for check in &checks {
        office.record(store, [gone(entity::CHECK, check.0, &all)]).await;
    }
    assert_eq!(shown().await, None);

    // Somebody who knew nothing of it finds something: what was deleted around it is back, and says so.
    let (recorded, _) = recorded(store, &mut tablet).await;
    assert_eq!(shown().await, Some((true, 1, 1)));
    let all = ops(store).await;
    office.record(store, [gone(entity::CHECK, check(PIPE).0, &all)]).await;
    assert_eq!(shown().await, Some((true, 1, 1)), "its answers were seen; its finding was not deleted");
    tablet.record(store, [gone(entity::FINDING, recorded.finding.0, &all)]).await;
    assert_eq!(shown().await, Some((true, 1, 1)), "an issue follows it");
    let issues = store.issues(&IssueFilter::default(), day(MORNING)).await.unwrap();
    assert!(issues[0].asset.is_some(), "and says where it is");
    remove_issue(store, &tablet.world, recorded.finding).await;
    assert_eq!(shown().await, None, "that was the last that stood there");

    // A check that moves leaves nothing in the one round, and something in the other.
    let elsewhere = json!(tablet.world.uuid());
    let planned = all.iter().find(|op| op.id == check(PIPE).0).map(|op| op.op_id);
    let moved = |to: &Value, base| Draft::set(entity::CHECK, check(PIPE).0, "round", to.clone(), base);
    let away = office.record(store, [moved(&elsewhere, planned)]).await[0];
    assert_eq!(shown().await, None);
    let back = office.record(store, [moved(&json!(round()), Some(away))]).await[0];
    assert_eq!(shown().await, Some((true, 1, 0)));
    office.record(store, [moved(&elsewhere, Some(back))]).await;
    assert_eq!(shown().await, None);
}

pub async fn what_was_signed_is_kept_and_says_so(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let mut office = Tablet::enrol(store, &world, "office").await;
    let (recorded, payload) = recorded(store, &mut tablet).await;
    let all = ops(store).await;
    office.record(store, [gone(entity::CHECK, check(PIPE).0, &all)]).await;
    tablet.record(store, [gone(entity::FINDING, recorded.finding.0, &all)]).await;
    office.record(store, [gone(entity::ROUND, round().0, &all)]).await;
    let seal = sealed(&tablet, &payload);
    tablet.record(store, [seal]).await;
    let told = ["office", "office", "inspector"].map(|account| by(store, account, MORNING, true));
    let [round, check, finding] = told;
    assert_eq!(said(store, recorded.finding).await, [round.await, check.await, finding.await]);
}
