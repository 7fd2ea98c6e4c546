//! The log, its pages, and its one writer.

use super::kit::{MORNING, answers, check, garden, log, round};
use crate::demo;
use crate::office::{Hand, write};
use crate::pull;
use crate::store::{Doing, PageOp, Store, StoreError};
use crate::world::day;
use futures::future::join_all;
use serde_json::json;
use standpipe_domain::answer::Outcome;
use standpipe_domain::record::entity;
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::pen::Draft;
use standpipe_oplog::wire::{MAX_BODY, MAX_TX, decode_pull};

pub async fn pages_hold_whole_transactions_in_order_with_the_sum(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let items = ["access-clear", "door-seal", "outlet-hose-nozzle"];
    for size in 1..=items.len() {
        let tag = ["B4-01-LG", "B4-33-LG", "B22-LG"][size - 1];
        let all = items[..size].iter().map(|item| answers(check(tag), item, Outcome::Pass, None));
        tablet.record(store, all).await;
    }
    let whole = log(store).await;
    assert!(!whole.more);
    let head = whole.next;
    let seqs: Vec<u64> = whole.ops.iter().map(|op| op.seq).collect();
    assert_eq!(seqs, (1..=head).collect::<Vec<_>>(), "numbered without a hole");

    // The garden is one transaction, then come those of one, two and three answers.
    let garden = head - 6;
    let sizes = [garden, 1, 2, 3];
    let (mut after, mut sum, mut ends) = (0, Checksum::default(), Vec::new());
    loop {
        let body = pull::page(store, demo::site(), after, 2, false, MORNING).await.unwrap();
        let (page, ops) = decode_pull(&body).unwrap();
        sum = sum + ops.iter().map(|op| Checksum::of(op.op.op_id, op.at, &op.body)).sum();
        assert_eq!(page.checksum, format!("{:016x}", sum.0), "up to {}", page.next);
        assert_eq!(page.hub_epoch, store.identity().epoch);
        assert_eq!(ops.first().unwrap().seq, after + 1);
        assert_eq!(ops.last().unwrap().seq, page.next);
        after = page.next;
        ends.push(after);
        if !page.more {
            break;
        }
    }
    // Two at a time: the garden alone is larger, then one and the two behind it, then three.
    assert_eq!(ends, [sizes[0], sizes[0] + 3, head]);
    assert_eq!(Checksum(whole.checksum.0), sum);
}

pub async fn a_cursor_beyond_the_head_is_told(store: &dyn Store) {
    garden(store).await;
    let head = log(store).await;
    let page = store.page(demo::site(), head.next + 7, 10, MAX_BODY).await.unwrap();
    assert_eq!((page.ops.len(), page.next, page.more), (0, head.next, false));
    assert_eq!(page.checksum, head.checksum);
    let same = store.page(demo::site(), head.next, 10, MAX_BODY).await.unwrap();
    assert_eq!((same.ops.len(), same.next, same.checksum), (0, head.next, head.checksum));
}

fn note(n: usize) -> Draft {
    Draft::set(entity::CHECK, check("P1-KZ").0, format!("note-{n}"), json!(n), None)
}

/// The sum that a page over the whole log ends with.
fn sum(ops: &[PageOp]) -> Checksum {
    let of = |op: &PageOp| {
        let id = serde_json::from_str::<standpipe_oplog::op::Op>(&op.body).unwrap().op_id;
        Checksum::of(id, op.at, &op.body)
    };
    ops.iter().map(of).sum()
}

fn hand() -> Hand {
    Hand { scope: demo::site(), actor: demo::person("office"), now: MORNING }
}

pub async fn a_transaction_is_seen_whole_or_not_made(store: &dyn Store) {
    let (world, _) = garden(store).await;
    let before = log(store).await.next;
    // Many small ones take more room in a page than their text has.
    let change = async |drafts: usize, bytes: usize| {
        let world = world.clone();
        let text = "x".repeat(bytes);
        let drafts: Vec<Draft> = (0..drafts).map(|n| Draft { value: json!(text), ..note(n) }).collect();
        store.transact(move |ledger| write(ledger, &*world, hand(), drafts)).await
    };
    for (drafts, bytes) in [(5, MAX_TX / 5), (20_000, 1)] {
        let refused = change(drafts, bytes).await;
        assert!(matches!(refused, Err(StoreError::TooLarge { limit: MAX_TX })), "{refused:?}");
    }
    assert_eq!(log(store).await.next, before, "nothing of it was kept");
    change(4, MAX_TX / 5).await.unwrap();
    let page = store.page(demo::site(), before, 1, 1).await.unwrap();
    assert_eq!(
        (page.ops.len(), page.more),
        (4, false),
        "all of it in one page, however little was asked for"
    );
}

pub async fn work_that_fails_leaves_nothing(store: &dyn Store) {
    let (world, _) = garden(store).await;
    let before = log(store).await;
    let kind = world.clone();
    let failed: Result<(), _> = store
        .transact(move |ledger| {
            write(ledger, &*kind, hand(), [note(1)])?;
            serde_json::from_str::<()>("x").reading("failing on purpose")
        })
        .await;
    assert!(matches!(failed, Err(StoreError::Unreadable { .. })));
    assert_eq!(log(store).await, before);

    let panicked: Result<(), _> = store
        .transact(move |ledger| {
            write(ledger, &*world, hand(), [note(2)])?;
            panic!("giving up on purpose")
        })
        .await;
    assert!(panicked.is_err());
    assert_eq!(log(store).await, before, "and whoever comes next is served");
}

pub async fn a_part_that_fails_takes_back_only_itself(store: &dyn Store) {
    let (world, _) = garden(store).await;
    let before = log(store).await;
    let kind = world.clone();
    let done = store.transact(move |ledger| {
        let mut failed = Vec::new();
        for n in 1..=4 {
            failed.extend(
                ledger
                    .attempt(&mut |ledger| {
                        write(ledger, &*kind, hand(), [note(n)])?;
                        match n {
                            2 => panic!("giving up on purpose"),
                            3 => serde_json::from_str::<()>("x").reading("failing on purpose"),
                            _ => Ok(()),
                        }
                    })?
                    .err(),
            );
        }
        Ok(failed)
    });
    let failed = done.await.unwrap();
    assert!(matches!(*failed, [StoreError::GaveUp { .. }, StoreError::Unreadable { .. }]), "{failed:?}");
    let page = log(store).await;
    assert_eq!(page.next, before.next + 2);
    let kept = &page.ops[before.ops.len()..];
    assert!(kept[0].body.contains("note-1") && kept[1].body.contains("note-4"), "{kept:?}");
    assert_eq!(page.checksum, sum(&page.ops));

    // What stands in the way of everybody is no fault of one part.
    let stopped: Result<(), _> = store
        .transact(move |ledger| {
            write(ledger, &*world, hand(), [note(5)])?;
            ledger.attempt(&mut |_| Err(StoreError::Stopped)).map(drop)
        })
        .await;
    assert!(matches!(stopped, Err(StoreError::Stopped)));
    assert_eq!(log(store).await, page);
}

pub async fn many_writers_at_once_all_keep_their_work(store: &dyn Store) {
    let (world, _) = garden(store).await;
    let before = log(store).await.next;
    let works = (0..40).map(|n| {
        let world = world.clone();
        store.transact(move |ledger| {
            write(ledger, &*world, hand(), [note(n)])?;
            // Some fail among the others, and take back only themselves.
            if n % 5 == 0 { Err(StoreError::Stopped) } else { Ok(n) }
        })
    });
    let kept: Vec<usize> = join_all(works).await.into_iter().flatten().collect();
    assert_eq!(kept.len(), 32);
    let page = log(store).await;
    assert_eq!(page.next, before + 32);
    assert_eq!(page.checksum, sum(&page.ops));
}

pub async fn who_listens_hears_after_the_change_is_there(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let mut changes = store.changes();
    tablet.record(store, [answers(check("P1-KZ"), "panel-clear", Outcome::Pass, None)]).await;
    assert_eq!(changes.recv().await.unwrap(), demo::site());
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    assert_eq!(view.checks[0].answers.len(), 1);
    assert!(changes.try_recv().is_err(), "one change, one poke");
}
