//! Two pushes at once, on a line that is good enough for it.

use super::hub::{Hub, problem};
use super::tablet::Tablet;
use crate::store::{StoreError, Writing};
use crate::world::TestWorld;
use serde_json::json;
use standpipe_domain::record::entity;
use standpipe_oplog::pen::Draft;
use standpipe_oplog::wire::MAX_OPS;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

/// Records three batches: two full ones, and a part of a third.
fn three_batches(tablet: &Tablet) {
    let answer = json!({"outcome": "pass", "at": 1});
    let record = |writing: &mut Writing<'_>| {
        for _ in 0..2 * MAX_OPS + 10 {
            let id = writing.world().uuid();
            writing.record(Draft::set(entity::CHECK, id, "answer:signage", answer.clone(), None))?;
        }
        Ok::<_, StoreError>(())
    };
    tablet.store.write("recording", record).unwrap();
}

#[tokio::test]
async fn on_a_quick_line_the_next_batch_sets_off_before_the_one_in_front_is_answered() {
    let hub = Hub::start().await;
    let ((third_came, second_may), (second_done, third_may)) = (oneshot::channel(), oneshot::channel());
    hub.kept().waits.extend([(2, second_may), (3, third_may)]);
    hub.kept().arrived.insert(3, third_came);
    hub.kept().answered.insert(2, second_done);
    let tablet = Tablet::of(&hub);
    three_batches(&tablet);
    let state = tablet.store.chain_state().unwrap();
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(hub.kept().pushes, 3);
            assert_eq!(hub.kept().ops.len() as u64, state.last_seq);
        })
        .await;
}

#[tokio::test]
async fn a_batch_that_overtook_the_one_in_front_is_sent_again_and_nothing_is_taken_for_lost() {
    let hub = Hub::start().await;
    let (third_done, second_may) = oneshot::channel();
    hub.kept().waits.insert(2, second_may);
    hub.kept().answered.insert(3, third_done);
    let tablet = Tablet::of(&hub);
    three_batches(&tablet);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(hub.kept().pushes, 4);
            assert_eq!(hub.kept().ops.len(), 2 * MAX_OPS + 10);
            let asked = hub.asked();
            assert!(
                !asked.iter().any(|line| line.contains("/sums") || line.contains("/return")),
                "{asked:?}"
            );
        })
        .await;
}

#[tokio::test]
async fn a_batch_that_set_off_early_and_failed_is_sent_again_behind_the_one_in_front() {
    let hub = Hub::start().await;
    let ((third_done, second_may), pushes) = (oneshot::channel(), Arc::new(AtomicU32::new(0)));
    hub.kept().waits.insert(2, second_may);
    let (count, third_done) = (Arc::clone(&pushes), Mutex::new(Some(third_done)));
    hub.rule("POST /sync/push", move || {
        (count.fetch_add(1, SeqCst) == 2).then(|| {
            let _ = third_done.lock().unwrap().take().unwrap().send(());
            problem(507, "no-room")
        })
    });
    let tablet = Tablet::of(&hub);
    three_batches(&tablet);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(pushes.load(SeqCst), 4);
            let troubles = tablet.told.lock().unwrap().iter().filter(|line| line.trouble.is_some()).count();
            assert_eq!(troubles, 0, "it may just have been too early");
        })
        .await;
}

#[tokio::test]
async fn on_a_slow_line_the_next_batch_waits_for_the_answer() {
    let world = Arc::new(TestWorld::new(1));
    let hub = Hub::start().await;
    let (free, second_may) = oneshot::channel();
    hub.kept().waits.insert(2, second_may);
    let tablet = Tablet::within(world.clone());
    tablet.enrol(&hub.address);
    three_batches(&tablet);
    hub.rule("POST /sync/push", move || {
        world.passes(Duration::from_secs(1));
        None
    });
    tablet
        .play(async |tablet| {
            // The first is written down while the second is under way; then the third is packed.
            while tablet.store.chain_state().unwrap().acknowledged == 0 {
                tokio::task::yield_now().await;
            }
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
                tablet.store.chain_state().unwrap();
            }
            assert_eq!(hub.kept().pushes, 2);
            free.send(()).unwrap();
            tablet.safe().await;
            assert_eq!(hub.kept().pushes, 3);
        })
        .await;
}
