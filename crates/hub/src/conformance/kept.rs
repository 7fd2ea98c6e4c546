//! What somebody deleted, and was kept.

use super::kit::{MORNING, Tablet, check, garden, ops, round};
use super::seals::{gone, recorded, sealed};
use crate::demo;
use crate::store::Store;
use crate::world::{World, day};
use standpipe_domain::ids::{FindingId, Millis};
use standpipe_domain::kept::KeptAgainstDelete;
use standpipe_domain::office::OfficeRound;
use standpipe_domain::record::entity;

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

    // Whoever has seen what is there by now deletes it for good.
    let all = ops(store).await;
    office.record(store, [gone(entity::CHECK, check(PIPE).0, &all)]).await;
    assert!(view(store).await.checks.iter().all(|it| it.id != check(PIPE)));
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
