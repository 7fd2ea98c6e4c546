//! Pushes and pulls, and in which order things go.

use super::hub::{BEHIND, Hub, problem};
use super::tablet::{Tablet, record};
use crate::identity::{Identity, Token};
use crate::world::{TestWorld, World};
use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::json;
use standpipe_domain::ids::DeviceId;
use standpipe_domain::sync::{SyncState, Trouble};
use standpipe_oplog::chain::START;
use standpipe_oplog::wire::PushConflict;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use uuid::Uuid;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn records_go_before_thumbnails_and_thumbnails_before_originals() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.photo(b"one");
    tablet.photo(b"two");
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            let lanes: Vec<_> = hub
                .sent()
                .into_iter()
                .filter(|line| line == "POST /sync/push" || line.starts_with("created"))
                .collect();
            assert_eq!(
                lanes,
                [
                    "POST /sync/push",
                    "created thumbnail",
                    "created thumbnail",
                    "created original",
                    "created original"
                ]
            );
        })
        .await;
}

#[tokio::test]
async fn what_is_recorded_during_a_photo_goes_before_its_next_piece() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let photo = vec![1; MIB];
    tablet.photo(&photo);
    let (store, once) = (Arc::clone(&tablet.store), AtomicBool::new(false));
    // The second upload is the original; its first piece is 64 KiB or 128.
    hub.rule("PATCH /blobs/1", move || {
        if !once.swap(true, SeqCst) {
            record(&store);
        }
        None
    });
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            let sent = hub.sent();
            let first = sent.iter().position(|line| line == "PATCH /blobs/1").unwrap();
            assert_eq!(sent[first + 1], "POST /sync/push");
            assert!(
                sent[first + 2..].contains(&"PATCH /blobs/1".to_owned()),
                "the photo was not done: {sent:?}"
            );
        })
        .await;
}

#[tokio::test]
async fn what_is_recorded_is_pushed_at_once() {
    let hub = Hub::start().await;
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            hub.asked();
            record(&tablet.store);
            tablet.line(|line| line.state == SyncState::Sending).await;
            tablet.safe().await;
            assert_eq!(hub.kept().ops.len(), 1);
            let asked: Vec<_> = hub.asked().into_iter().filter(|line| line != "GET /events").collect();
            assert_eq!(asked[0], "POST /sync/push", "without another greeting");
        })
        .await;
}

#[tokio::test]
async fn the_hub_is_greeted_each_minute_however_much_is_recorded() {
    let world = Arc::new(TestWorld::new(1));
    let hub = Hub::start().await;
    let tablet = Tablet::within(Arc::clone(&world) as Arc<dyn World>);
    tablet.enrol(&hub.address);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            let mut greeted = Vec::new();
            // Somebody records something every half minute: no pause is ever over.
            for _ in 0..6 {
                hub.asked();
                world.passes(Duration::from_secs(30));
                record(&tablet.store);
                tablet.line(|line| line.records == 1).await;
                tablet.line(|line| line.records == 0).await;
                tablet.pause().await;
                greeted.push(hub.asked().iter().filter(|line| *line == "POST /sync/hello").count());
            }
            assert_eq!(greeted, [0, 1, 0, 1, 0, 1]);
        })
        .await;
}

#[tokio::test]
async fn the_line_says_safe_only_once_everything_is() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let photo = tablet.photo(&vec![2; MIB]);
    tablet
        .play(async |tablet| {
            let safe = tablet.safe().await;
            assert_eq!((safe.records, safe.photos, safe.bytes, safe.set_aside), (0, 0, 0, 0));
            assert!(hub.kept().verified.contains_key(&photo));
            let synced = tablet.line(|line| line.last_synced.is_some()).await;
            assert_eq!(synced.state, SyncState::Safe);
            let told = tablet.told.lock().unwrap();
            assert!(told.iter().any(|line| line.state == SyncState::Sending));
            let bytes: Vec<_> = told.iter().map(|line| line.bytes).collect();
            assert!(bytes.is_sorted_by(|a, b| a >= b), "{bytes:?}");
            assert!(bytes.iter().any(|left| (1..MIB as u64).contains(left)), "progress is told: {bytes:?}");
            let waits = |line: &&_| -> bool {
                let line: &standpipe_domain::sync::SyncLine = line;
                line.records + line.photos > 0 && line.state == SyncState::Safe
            };
            assert_eq!(told.iter().find(waits), None);
        })
        .await;
}

#[tokio::test]
async fn the_clock_is_measured_at_each_handshake() {
    let hub = Hub::start().await;
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.in_step().await;
            let first = tablet.clock_ahead().unwrap();
            assert!((BEHIND..BEHIND + 1_000).contains(&first), "{first}");
            // Somebody sets the hub's clock right.
            hub.kept().now.0 += 60_000;
            tablet.go_on();
            tablet.pause().await;
            let second = tablet.clock_ahead().unwrap();
            assert!((BEHIND - 60_000..BEHIND - 59_000).contains(&second), "{second}");
            record(&tablet.store);
            assert_eq!(tablet.offset_recorded(), Some(second));
        })
        .await;
}

#[tokio::test]
async fn a_hub_that_lost_its_disk_gets_everything_again() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    (0..5).for_each(|_| record(&tablet.store));
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            let before = hub.kept().ops.clone();
            {
                let mut kept = hub.kept();
                kept.chains.clear();
                kept.ops.clear();
                kept.epoch = Uuid::from_u128(8);
            }
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(hub.kept().ops, before);
            assert_eq!(tablet.store.cursor().unwrap(), (Some(Uuid::from_u128(8)), 5));
        })
        .await;
}

#[tokio::test]
async fn a_cloned_tablet_goes_on_as_a_new_incarnation() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    hub.kept().chains.insert(1, vec![START; 9]);
    (0..3).for_each(|_| record(&tablet.store));
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            let kept = hub.kept();
            assert_eq!(kept.ops.len(), 3);
            assert_eq!(kept.chains[&2].len(), 3);
        })
        .await;
}

#[tokio::test]
async fn no_acknowledgement_reaches_behind_what_was_sent() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    let store = Arc::clone(&tablet.store);
    let seen = Arc::new(AtomicU64::new(0));
    let acknowledged = Arc::clone(&seen);
    let once = AtomicBool::new(false);
    // The clone of this tablet had recorded more, and this one records while the answer is on its way.
    hub.rule("POST /sync/push", move || {
        if once.swap(true, SeqCst) {
            acknowledged.fetch_max(store.chain_state().unwrap().acknowledged, SeqCst);
            return None;
        }
        record(&store);
        let answer = json!({"acknowledged": 9, "durable_seq": 9, "quarantined": []});
        Some(Json(answer).into_response())
    });
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(seen.load(SeqCst), 1);
            assert_eq!(hub.kept().ops.len(), 2, "nothing was left out");
        })
        .await;
}

#[tokio::test]
async fn a_hub_that_wants_the_same_again_and_again_is_left_alone_for_a_while() {
    for conflict in [PushConflict::Expected { expected: 1 }, PushConflict::Forked { incarnation: 2 }] {
        let hub = Hub::start().await;
        let tablet = Tablet::of(&hub);
        record(&tablet.store);
        let answer = conflict.clone();
        hub.rule("POST /sync/push", move || {
            Some((StatusCode::CONFLICT, Json(answer.clone())).into_response())
        });
        tablet
            .play(async |tablet| {
                let pause = tablet.pause().await;
                assert!((1_000..=2_000).contains(&pause.as_millis()), "{pause:?}");
                let pushes = hub.asked().into_iter().filter(|line| line == "POST /sync/push").count();
                assert!(pushes <= 3, "{pushes} pushes for {conflict:?}");
                assert_eq!(tablet.standing.line().records, 1);
                hub.behave();
                tablet.go_on();
                tablet.safe().await;
                assert_eq!(hub.kept().ops.len(), 1);
            })
            .await;
    }
}

#[tokio::test]
async fn what_the_hub_sets_aside_is_shown_and_the_rest_goes_on() {
    let hub = Hub::start().await;
    let tablet = Tablet::refused_by(&hub);
    tablet
        .play(async |tablet| {
            let line = tablet.line(|line| line.set_aside == 1 && line.records == 0).await;
            assert_eq!(line.state, SyncState::NeedsAttention);
            hub.kept().quarantine = None;
            record(&tablet.store);
            tablet.pause().await;
            assert_eq!(hub.kept().ops.len(), 1);
        })
        .await;
}

#[tokio::test]
async fn what_was_set_aside_is_offered_again_when_somebody_asks() {
    let hub = Hub::start().await;
    let tablet = Tablet::refused_by(&hub);
    tablet
        .play(async |tablet| {
            tablet.set_aside().await;
            hub.kept().quarantine = Some("unknown-item");
            tablet.standing.due().offer = true;
            tablet.go_on();
            tablet.pause().await;
            let detail = tablet.store.set_aside_ids().unwrap();
            assert_eq!(detail.len(), 1, "the reason is another, and it stays");
            hub.kept().quarantine = None;
            tablet.standing.due().offer = true;
            tablet.go_on();
            tablet.line(|line| line.set_aside == 0 && line.state == SyncState::Safe).await;
            assert_eq!(hub.kept().ops.len(), 1);
        })
        .await;
}

#[tokio::test]
async fn a_poke_fetches_at_once() {
    let hub = Hub::start().await;
    let office = Tablet::of(&hub);
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            while hub.listeners() == 0 {
                tokio::task::yield_now().await;
            }
            record(&office.store);
            let body = office.store.outbox(0).unwrap().bodies.remove(0);
            let op: standpipe_oplog::op::Op = serde_json::from_str(&body).unwrap();
            hub.kept().ops.push((op.op_id, body.into()));
            hub.poke();
            while tablet.store.cursor().unwrap().1 == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
}

#[tokio::test]
async fn a_greeting_tells_what_of_the_records_that_arrived_is_in_a_backup_by_now() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            assert_eq!(tablet.store.chain_state().unwrap().durable, 0);
            // Its clone has sent more, of which this tablet knows nothing.
            hub.kept().durable = 9;
            tablet.go_on();
            while tablet.store.chain_state().unwrap().durable == 0 {
                tokio::task::yield_now().await;
            }
            let chain = tablet.store.chain_state().unwrap();
            assert_eq!((chain.acknowledged, chain.durable), (1, 1));
        })
        .await;
}

#[tokio::test]
async fn ends_that_differ_are_compared_once_and_then_said() {
    let hub = Hub::start().await;
    hub.kept().wrong_checksum = true;
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            let line = tablet.standing.line();
            assert!(matches!(line.trouble, Some(Trouble::HubFault { .. })), "{line:?}");
            assert_eq!((line.state, line.last_synced), (SyncState::Checking, None));
            let pulls = hub.asked().into_iter().filter(|line| line.starts_with("GET /sync/")).count();
            assert!(pulls <= 4, "{pulls}");
            hub.kept().wrong_checksum = false;
            tablet.go_on();
            tablet.line(|line| line.last_synced.is_some()).await;
        })
        .await;
}

#[tokio::test]
async fn a_hub_that_fails_at_records_still_gives_its_own() {
    let hub = Hub::start().await;
    let pushes = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&pushes);
    hub.rule("POST /sync/push", move || {
        count.fetch_add(1, SeqCst);
        Some(problem(500, "broken"))
    });
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(pushes.load(SeqCst), 1);
            assert!(hub.asked().iter().any(|line| line.starts_with("GET /sync/")));
            assert_eq!(tablet.standing.line().records, 1);
        })
        .await;
}

#[tokio::test]
async fn whoever_joins_again_while_a_push_is_under_way_loses_nothing() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    for _ in 0..3 {
        record(&tablet.store);
    }
    let (store, once) = (Arc::clone(&tablet.store), AtomicBool::new(false));
    // The hub has the batch already when the tablet becomes another device; its answer comes after that.
    hub.rule("POST /sync/push", move || {
        if !once.swap(true, SeqCst) {
            let before = store.identity().unwrap().unwrap();
            let (device, token) = (DeviceId(Uuid::from_u128(9)), Token("later".into()));
            store.enrol(&Identity { device, token, incarnation: 2, ..before }).unwrap();
        }
        None
    });
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            let state = tablet.store.chain_state().unwrap();
            assert_eq!(
                (state.id.device, state.last_seq, state.acknowledged),
                (DeviceId(Uuid::from_u128(9)), 3, 3)
            );
            assert_eq!(hub.kept().chains[&2].len(), 3, "all of it was offered as the device that it is now");
        })
        .await;
}
