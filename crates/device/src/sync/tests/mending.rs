//! What is put right where the two ends do not hold the same: the hub was restored, or this tablet was.

use super::hub::{Hub, problem};
use super::tablet::{Tablet, record};
use crate::testing::INSPECTOR;
use crate::world::TestWorld;
use standpipe_domain::sync::SyncState;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::op::Op;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use uuid::Uuid;

/// An operation that another tablet recorded, as the hub keeps it.
pub fn colleagues(seed: u64) -> (Uuid, String) {
    let colleague = Tablet::within(Arc::new(TestWorld::new(seed)));
    colleague.enrol("http://127.0.0.1:9");
    record(&colleague.store);
    let body = colleague.store.outbox(0).unwrap().bodies.remove(0);
    let op: Op = serde_json::from_str(&body).unwrap();
    let body = body.replace(&op.actor.to_string(), &INSPECTOR.to_string());
    (op.op_id, body)
}

/// An operation that comes in another push than the first of its transaction.
fn more_of(first: &(Uuid, String), seed: u64) -> (Uuid, String) {
    let tx = |body: &str| serde_json::from_str::<Op>(body).unwrap().tx.to_string();
    let (id, body) = colleagues(seed);
    (id, body.replace(&tx(&body), &tx(&first.1)))
}

#[tokio::test]
async fn more_of_a_transaction_is_taken_in_behind_what_was_pulled_of_it() {
    let hub = Hub::start().await;
    let first = colleagues(2);
    let more = more_of(&first, 3);
    hub.kept().ops.push(first);
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.in_step().await;
            assert_eq!(tablet.store.cursor().unwrap().1, 1);
            hub.kept().ops.push(more);
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(tablet.store.cursor().unwrap().1, 2);
            assert!(!hub.asked().iter().any(|asked| asked.contains("sums")), "{:?}", hub.asked());
        })
        .await;
}

#[tokio::test]
async fn numbers_in_another_order_are_put_right_though_the_sums_are_the_same() {
    let hub = Hub::start().await;
    let (one, other) = (colleagues(2), colleagues(3));
    let more = more_of(&one, 4);
    hub.kept().ops = vec![one.clone(), other.clone()];
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.in_step().await;
            hub.kept().ops = vec![other, one, more];
            for _ in 0..4 {
                tablet.go_on();
                tablet.pause().await;
            }
            let held = hub.kept().ops.len();
            assert_eq!(held, 3, "nothing is doubled: {:?}", hub.asked());
            assert_eq!(tablet.store.cursor().unwrap().1, 3, "{:?}", hub.asked());
            tablet.line(|line| line.trouble.is_none()).await;
        })
        .await;
}

#[tokio::test]
async fn a_restored_hub_gets_back_what_it_lost_of_whoever() {
    let hub = Hub::start().await;
    hub.kept().ops.push(colleagues(2));
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            let before = hub.kept().ops.clone();
            assert_eq!(before.len(), 2);
            // Of both a backup knows nothing.
            hub.kept().restored();
            tablet.go_on();
            while hub.kept().ops.len() < 2 || tablet.store.cursor().unwrap().1 < 2 {
                tokio::task::yield_now().await;
            }
            let mut after = hub.kept().ops.clone();
            after.sort();
            let mut expected = before;
            expected.sort();
            assert_eq!(after, expected);
            assert_eq!(tablet.store.cursor().unwrap(), (Some(Uuid::from_u128(8)), 2));
        })
        .await;
}

#[tokio::test]
async fn a_hub_that_loses_once_more_what_it_was_given_back_gets_it_again() {
    let hub = Hub::start().await;
    hub.kept().ops.push(colleagues(2));
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            hub.kept().restored();
            // It takes all of it, and is restored before anybody hears its numbers.
            for numbers in ["GET /sync/snapshot", "GET /sync/pull"] {
                hub.rule(numbers, || Some(problem(503, "busy")));
            }
            tablet.go_on();
            tablet.pause().await;
            let taken = hub.kept().ops.len();
            assert_eq!(taken, 2, "{:?}", hub.asked());
            hub.kept().restored();
            hub.behave();
            tablet.go_on();
            tablet.pause().await;
            let taken = hub.kept().ops.len();
            assert_eq!(taken, 2, "{:?}", hub.asked());
            assert_eq!(tablet.store.cursor().unwrap(), (Some(Uuid::from_u128(9)), 2));
        })
        .await;
}

#[tokio::test]
async fn what_differs_anew_before_both_are_in_step_is_put_right_too() {
    let hub = Hub::start().await;
    let others = |seeds: std::ops::Range<u64>| seeds.map(colleagues).collect::<Vec<_>>();
    hub.kept().ops = others(2..5);
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.in_step().await;
            // Somebody puts the database back by hand, with the same epoch, and once more before all is in step: the first
            // pull shows that both differ, two are of the repair.
            hub.kept().ops = others(5..8);
            let pulls = AtomicUsize::new(0);
            hub.rule("GET /sync/pull", move || {
                (pulls.fetch_add(1, SeqCst) >= 3).then(|| problem(503, "busy"))
            });
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(tablet.store.cursor().unwrap().1, 3, "{:?}", hub.asked());
            hub.kept().ops = others(8..15);
            hub.behave();
            for _ in 0..3 {
                tablet.go_on();
                tablet.pause().await;
            }
            let held = hub.kept().ops.len() as u64;
            let epoch = hub.kept().epoch;
            assert!(held > 7, "what was here before is given back");
            assert_eq!(tablet.store.cursor().unwrap(), (Some(epoch), held), "{:?}", hub.asked());
            tablet.line(|line| line.last_synced.is_some() && line.trouble.is_none()).await;
        })
        .await;
}

#[tokio::test]
async fn what_the_hub_lost_goes_up_before_what_is_new_also_where_only_the_chain_tells() {
    let hub = Hub::start().await;
    hub.kept().ops.push(colleagues(2));
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            // Restored without saying so, and others have written since: the head is where it was.
            {
                let mut kept = hub.kept();
                kept.chains.clear();
                kept.ops = vec![colleagues(3), colleagues(4), colleagues(5)];
            }
            hub.asked();
            tablet.go_on();
            while hub.kept().ops.len() < 5 || hub.kept().chains.is_empty() {
                tokio::task::yield_now().await;
            }
            let asked = hub.asked();
            let first = |what: &str| asked.iter().position(|line| line.starts_with(what));
            assert!(first("POST /sync/sums") < first("POST /sync/return"), "{asked:?}");
            assert!(first("POST /sync/return") < first("POST /sync/push"), "{asked:?}");
            assert!(first("POST /sync/sums").is_some());
        })
        .await;
}

#[tokio::test]
async fn a_hub_that_turns_out_at_a_push_to_have_lost_something_is_compared_with_first() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            let once = AtomicBool::new(false);
            let (kept, restored) = (hub.clone(), Arc::new(once));
            // The greeting was answered before the restore, the push comes after it.
            hub.rule("POST /sync/push", move || {
                if !restored.swap(true, SeqCst) {
                    let mut kept = kept.kept();
                    kept.chains.clear();
                    kept.ops.clear();
                }
                None
            });
            hub.asked();
            record(&tablet.store);
            while hub.kept().ops.len() < 2 || tablet.standing.line().records > 0 {
                tokio::task::yield_now().await;
            }
            let asked = hub.asked();
            let all: Vec<_> = asked.iter().filter(|line| line.starts_with("POST /sync/")).collect();
            let returned = all.iter().position(|line| line.ends_with("return"));
            let pushes = all.iter().enumerate().filter(|(_, line)| line.ends_with("push")).map(|(at, _)| at);
            assert!(pushes.collect::<Vec<_>>().get(1).copied() > returned && returned.is_some(), "{all:?}");
        })
        .await;
}

#[tokio::test]
async fn what_the_hub_never_took_is_set_aside_and_shown() {
    let hub = Hub::start().await;
    let theirs = colleagues(2);
    let their_id = theirs.0;
    hub.kept().ops.push(theirs);
    let tablet = Tablet::of(&hub);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            {
                let mut kept = hub.kept();
                kept.ops.clear();
                kept.never_taken.push(their_id);
                kept.epoch = Uuid::from_u128(8);
            }
            tablet.go_on();
            let line = tablet.line(|line| line.set_aside == 1).await;
            assert_eq!(line.state, SyncState::NeedsAttention);
        })
        .await;
}

#[tokio::test]
async fn what_another_hub_never_took_of_ones_own_is_offered_to_it() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            {
                // It knows the tablet, and not its own mark.
                let mut kept = hub.kept();
                let own = kept.ops[0].0;
                kept.never_taken.push(own);
                kept.ops.clear();
                kept.epoch = Uuid::from_u128(8);
            }
            tablet.go_on();
            tablet.line(|_| hub.kept().ops.len() == 1).await;
            let line = tablet.line(|line| line.state == SyncState::Safe).await;
            assert_eq!(line.set_aside, 0);
        })
        .await;
}

#[tokio::test]
async fn a_withdrawn_tablet_gives_a_restored_hub_back_what_it_had_taken() {
    let hub = Hub::start().await;
    hub.kept().ops.push(colleagues(2));
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            {
                let mut kept = hub.kept();
                kept.restored();
                kept.revoked = true;
                kept.quarantine = Some("revoked");
            }
            hub.rule("GET /sync/pull", || Some(problem(403, "revoked")));
            hub.asked();
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(hub.kept().ops.len(), 2, "its own and its colleague's: {:?}", hub.asked());
            assert_eq!(hub.kept().aside, [], "what had been taken is not judged anew");
            // What it records from here on is kept for review.
            record(&tablet.store);
            tablet.set_aside().await;
            hub.asked();
            tablet.go_on();
            tablet.pause().await;
            let asked = hub.asked();
            assert!(!asked.iter().any(|line| line.contains("/sync/return")), "once: {asked:?}");
        })
        .await;
}

#[tokio::test]
async fn what_an_earlier_chain_brought_and_a_restored_hub_lost_is_offered_before_the_line_says_safe() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    (0..3).for_each(|_| record(&tablet.store));
    // Two were acknowledged and not pulled when the tablet found that it had been cloned; then the hub lost all of it.
    let chain = tablet.store.chain_state().unwrap().id;
    tablet.store.acknowledge(chain, 2, 0).unwrap();
    tablet.store.renumber(chain, 7).unwrap();
    assert_eq!(tablet.store.waiting().unwrap().records, 1);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(hub.kept().ops.len(), 3);
            assert_eq!(hub.kept().chains[&7].len(), 3);
        })
        .await;
}

/// What a colleague recorded, under the id of another operation.
fn under_the_id(op_id: Uuid) -> (Uuid, String) {
    let (id, body) = colleagues(9);
    (op_id, body.replace(&id.to_string(), &op_id.to_string()))
}

/// Which records the operations of a hub are about.
fn records(hub: &Hub) -> Vec<Uuid> {
    let kept = hub.kept();
    kept.ops.iter().map(|(_, body)| serde_json::from_str::<Op>(body).unwrap().id).collect()
}

#[tokio::test]
async fn two_works_of_one_id_are_both_kept() {
    for was_in_step in [false, true] {
        let hub = Hub::start().await;
        let tablet = Tablet::of(&hub);
        record(&tablet.store);
        let own: Op = serde_json::from_str(&tablet.store.outbox(0).unwrap().bodies[0]).unwrap();
        if !was_in_step {
            hub.kept().ops.push(under_the_id(own.op_id));
        }
        tablet
            .play(async |tablet| {
                if was_in_step {
                    tablet.in_step().await;
                    let mut kept = hub.kept();
                    kept.ops[0] = under_the_id(own.op_id);
                    kept.epoch = Uuid::from_u128(8);
                    drop(kept);
                    tablet.go_on();
                }
                tablet.line(|line| line.state == SyncState::Safe && hub.kept().ops.len() == 2).await;
                let theirs: Op = serde_json::from_str(&under_the_id(own.op_id).1).unwrap();
                assert_eq!(records(&hub), [theirs.id, own.id]);
                tablet.pause().await;
                let held = tablet.store.held_sums().unwrap().upto(u64::MAX);
                assert_ne!(held, standpipe_oplog::checksum::Checksum::default());
                assert!(tablet.standing.line().trouble.is_none(), "both ends hold the same");
            })
            .await;
    }
}

#[tokio::test]
async fn what_a_clone_took_the_places_of_is_offered_anew() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    (0..2).for_each(|_| record(&tablet.store));
    // Both were acknowledged and not pulled; the hub lost them, and the tablet's clone has gone on in their places.
    tablet.store.acknowledge(tablet.store.chain_state().unwrap().id, 2, 0).unwrap();
    hub.kept().chains.insert(1, vec![sha256(b"the clone's"); 2]);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(hub.kept().ops.len(), 2);
            assert_eq!(hub.kept().chains[&2].len(), 2, "as another incarnation");
        })
        .await;
}

#[tokio::test]
async fn whoever_finds_a_restored_hub_says_the_end_of_what_comes_back() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            // Nothing of this tablet's was lost; of another's it may have been, which died in the middle of giving it back.
            hub.kept().epoch = Uuid::from_u128(8);
            hub.asked();
            for ends in [1, 0] {
                tablet.go_on();
                tablet.pause().await;
                let asked = hub.asked();
                let told = asked.iter().filter(|line| line.starts_with("POST /sync/return")).count();
                assert_eq!(told, ends, "{asked:?}");
            }
            assert!(!tablet.store.owes_end().unwrap());
        })
        .await;
}
