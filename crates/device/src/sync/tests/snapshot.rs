//! A tablet that is new, or was away for long, and gets everything in one answer.

use super::hub::{Hub, html, problem, silence};
use super::mending::colleagues;
use super::tablet::{Tablet, record};
use crate::store::Store;
use crate::world::TestWorld;
use standpipe_domain::sync::{SyncState, Trouble};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use uuid::Uuid;

/// Seven operations, which are four pages.
async fn hub() -> Hub {
    let hub = Hub::start().await;
    hub.kept().ops.extend((10..17).map(colleagues));
    hub
}

/// What was asked for records, in order.
fn asked(hub: &Hub) -> Vec<String> {
    let records = |line: &String| line.starts_with("GET /sync/") || line == "POST /sync/push";
    hub.asked().into_iter().filter(records).collect()
}

/// How many bytes the first so many pages behind `after` have.
fn bytes(hub: &Hub, after: usize, pages: usize) -> usize {
    hub.kept().pages(after).iter().take(pages).map(Vec::len).sum()
}

/// What a tablet's log holds, by the hub's numbers.
fn held(store: &Store) -> Vec<(u64, Uuid)> {
    store
        .read("looking", |conn| {
            let mut ops = conn.prepare("SELECT hub_seq, op_id FROM op ORDER BY hub_seq")?;
            let ops = ops.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok::<_, crate::store::StoreError>(ops.collect::<Result<_, _>>()?)
        })
        .unwrap()
}

fn all_of(hub: &Hub) -> Vec<(u64, Uuid)> {
    (1..).zip(hub.kept().ops.iter().map(|(id, _)| *id)).collect()
}

#[tokio::test]
async fn a_new_tablet_gets_everything_in_one_answer() {
    let hub = hub().await;
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.line(|line| line.last_synced.is_some()).await;
            assert_eq!(asked(&hub), ["GET /sync/snapshot?after=0"]);
            assert_eq!(held(&tablet.store), all_of(&hub));
            tablet.pause().await;
            // What comes later is little, and comes as a page.
            hub.kept().ops.push(colleagues(20));
            tablet.go_on();
            while tablet.store.cursor().unwrap().1 < 8 {
                tokio::task::yield_now().await;
            }
            let asked = asked(&hub);
            assert!(asked.iter().all(|line| line.starts_with("GET /sync/pull?after=7")), "{asked:?}");
        })
        .await;
}

#[tokio::test]
async fn a_tablet_that_was_away_for_long_gets_the_rest_in_one_answer() {
    let hub = hub().await;
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.in_step().await;
            hub.asked();
            hub.kept().ops.extend((20..26).map(colleagues));
            tablet.go_on();
            while tablet.store.cursor().unwrap().1 < 13 {
                tokio::task::yield_now().await;
            }
            let asked = asked(&hub);
            assert!(asked[0].starts_with("GET /sync/pull?after=7"), "{asked:?}");
            assert_eq!(asked[1..], ["GET /sync/snapshot?after=9"]);
        })
        .await;
}

#[tokio::test]
async fn an_answer_that_is_cut_again_and_again_goes_on_where_it_was() {
    let hub = hub().await;
    // In the middle of the third page, then in that of the second behind it.
    let first = bytes(&hub, 0, 2) + 10;
    let second = bytes(&hub, 4, 1) + 3;
    hub.kept().cut_snapshot = Some(first);
    let (cutting, times) = (hub.clone(), AtomicU32::new(0));
    hub.rule("GET /sync/snapshot", move || {
        if times.fetch_add(1, SeqCst) == 1 {
            cutting.kept().cut_snapshot = Some(second);
        }
        None
    });
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.line(|line| line.last_synced.is_some()).await;
            let expected =
                ["GET /sync/snapshot?after=0", "GET /sync/snapshot?after=4", "GET /sync/snapshot?after=6"];
            assert_eq!(asked(&hub), expected, "nothing is fetched twice, and nobody waits in between");
            assert_eq!(held(&tablet.store), all_of(&hub));
        })
        .await;
}

#[tokio::test]
async fn an_answer_that_brings_nothing_is_a_link_that_is_gone() {
    let hub = hub().await;
    hub.kept().cut_snapshot = Some(bytes(&hub, 0, 1) - 1);
    Tablet::of(&hub)
        .play(async |tablet| {
            let pause = tablet.pause().await;
            assert!((1_000..=2_000).contains(&pause.as_millis()), "{pause:?}");
            assert_eq!(tablet.standing.line().trouble, Some(Trouble::NoAnswer));
            assert_eq!((tablet.store.cursor().unwrap().1, held(&tablet.store)), (0, vec![]));
            assert_eq!(asked(&hub), ["GET /sync/snapshot?after=0"]);
            tablet.go_on();
            tablet.line(|line| line.last_synced.is_some()).await;
            assert_eq!(held(&tablet.store), all_of(&hub));
        })
        .await;
}

#[tokio::test]
async fn what_was_taken_in_is_durable_page_by_page() {
    let hub = hub().await;
    hub.kept().cut_snapshot = Some(bytes(&hub, 0, 2) + 1);
    let times = AtomicU32::new(0);
    // The tablet finds nobody any more, and its app is ended.
    hub.rule("GET /sync/snapshot", move || (times.fetch_add(1, SeqCst) > 0).then(silence));
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.pause().await;
            let folder = tablet.store.path().parent().unwrap();
            let again = Store::open(folder, Arc::new(TestWorld::new(9))).unwrap();
            assert_eq!(again.cursor().unwrap().1, 4);
            assert_eq!(held(&again), all_of(&hub)[..4]);
            assert_eq!(again.held_sums().unwrap().upto(4), tablet.store.held_sums().unwrap().upto(9));
            drop(again);
            hub.behave();
            hub.asked();
            tablet.go_on();
            tablet.line(|line| line.last_synced.is_some()).await;
            assert_eq!(asked(&hub), ["GET /sync/snapshot?after=4"]);
        })
        .await;
}

#[tokio::test]
async fn a_hub_that_gives_no_snapshots_is_asked_for_pages() {
    let hub = hub().await;
    hub.rule("GET /sync/snapshot", || Some(problem(404, "no-such-address")));
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.line(|line| line.last_synced.is_some()).await;
            let asked = asked(&hub);
            assert_eq!(asked[0], "GET /sync/snapshot?after=0");
            let pages = asked[1..].iter().all(|line| line.starts_with("GET /sync/pull"));
            assert!(pages && asked.len() == 5, "{asked:?}");
            assert_eq!(held(&tablet.store), all_of(&hub));
        })
        .await;
}

#[tokio::test]
async fn what_is_recorded_meanwhile_does_not_wait_for_the_rest() {
    let hub = hub().await;
    let tablet = Tablet::of(&hub);
    // While the hub makes its answer somebody records.
    let (store, times) = (Arc::clone(&tablet.store), AtomicU32::new(0));
    hub.rule("GET /sync/snapshot", move || {
        if times.fetch_add(1, SeqCst) == 0 {
            record(&store);
        }
        None
    });
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.last_synced.is_some() && line.state == SyncState::Safe).await;
            let asked = asked(&hub);
            assert_eq!(asked[..2], ["GET /sync/snapshot?after=0", "POST /sync/push"]);
            let after = asked[2].strip_prefix("GET /sync/snapshot?after=").unwrap();
            assert!((2..7).contains(&after.parse().unwrap()), "it goes on where it was: {asked:?}");
            assert_eq!(held(&tablet.store), all_of(&hub));
        })
        .await;
}

#[tokio::test]
async fn a_hub_that_was_restored_in_the_middle_is_compared_with() {
    let hub = hub().await;
    hub.kept().cut_snapshot = Some(bytes(&hub, 0, 2) + 1);
    let (restored, times) = (hub.clone(), AtomicU32::new(0));
    hub.rule("GET /sync/snapshot", move || {
        if times.fetch_add(1, SeqCst) == 1 {
            let mut kept = restored.kept();
            kept.epoch = Uuid::from_u128(8);
            kept.ops.remove(1);
        }
        None
    });
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.in_step().await;
            assert_eq!(tablet.store.cursor().unwrap(), (Some(Uuid::from_u128(8)), 7));
            assert_eq!(hub.kept().ops.len(), 7, "what the hub lost it has back");
            assert_eq!(held(&tablet.store), all_of(&hub));
        })
        .await;
}

#[tokio::test]
async fn a_kind_of_tomorrow_is_kept_and_does_not_stand_in_the_way() {
    let hub = hub().await;
    hub.kept().ops[3].1 = colleagues(13).1.replace("\"kind\":\"set\"", "\"kind\":\"of-tomorrow\"");
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.line(|line| line.last_synced.is_some()).await;
            assert_eq!(held(&tablet.store), all_of(&hub));
        })
        .await;
}

#[tokio::test]
async fn who_may_have_nothing_and_who_is_no_hub_gives_nothing() {
    let cases: [(fn() -> axum::response::Response, Trouble); 2] =
        [(|| problem(403, "revoked"), Trouble::Revoked), (|| html(200), Trouble::NotAHub)];
    for (answer, trouble) in cases {
        let hub = hub().await;
        hub.rule("GET /sync/", move || Some(answer()));
        Tablet::of(&hub)
            .play(async |tablet| {
                tablet.pause().await;
                assert_eq!(tablet.standing.line().trouble, Some(trouble.clone()));
                assert_eq!(held(&tablet.store), []);
            })
            .await;
    }
}
