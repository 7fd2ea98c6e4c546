//! What a hub takes back that it had taken once, and how a tablet finds where the two differ.

use super::issues::{assignment, issue, step_seen};
use super::kit::{MORNING, StillWorld, Tablet, answers, check, finding, garden, log, ops};
use crate::demo;
use crate::ingest::take_back;
use crate::pull;
use crate::store::Store;
use standpipe_domain::answer::Outcome;
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{IssueId, Millis};
use standpipe_domain::issue::{Status, Step};
use standpipe_domain::record::{entity, issue_id};
use standpipe_oplog::chain::{START, Written};
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::op::Op;
use standpipe_oplog::pen::{Draft, Pen};
use standpipe_oplog::wire::{Returned, decode_pull, encode_return};
use std::sync::Arc;
use uuid::Uuid;

/// A hub of which a backup was made: the garden, and two tablets.
pub(crate) struct Backed {
    world: Arc<StillWorld>,
    finder: Tablet,
    colleague: Tablet,
    holds: usize,
}

/// What it does from then on, and loses.
pub(crate) struct Lost {
    issue: IssueId,
    marked: Vec<Returned>,
}

pub(crate) async fn back_up(store: &dyn Store) -> Backed {
    let (world, finder) = garden(store).await;
    let colleague = Tablet::enrol(store, &world, "owners-1").await;
    let holds = usize::try_from(log(store).await.next).unwrap();
    Backed { world, finder, colleague, holds }
}

/// Somebody finds something, and the office assigns it.
pub(crate) async fn go_on(store: &dyn Store, Backed { world, finder, .. }: &mut Backed) -> Lost {
    let (id, record) = finding(check("B4-33-LG"), "door-seal", "封条破损");
    let other = finding(check("P1-KZ"), "panel-clear", "面板有报警");
    finder.record(store, [answers(check("P1-KZ"), "panel-clear", Outcome::Fail, None), other.1]).await;
    world.wait(1_000);
    let fails = answers(check("B4-33-LG"), "door-seal", Outcome::Fail, None);
    let ids = finder.record(store, [fails, record]).await;
    world.wait(1_000);
    let issue = issue_id(id);
    step_seen(store, world, issue, "branch", assignment()).await.unwrap();
    world.wait(1_000);
    let worse = serde_json::json!(Severity::Critical);
    finder.record(store, [Draft::set(entity::FINDING, id.0, "severity", worse, Some(ids[1]))]).await;
    Lost { issue, marked: marked(store).await }
}

/// The hub was restored. Who found it had never heard that it was taken and pushes it anew, in another order; then a
/// colleague gives back what the office had made of it.
pub(crate) async fn come_back(store: &dyn Store, backed: Backed, Lost { issue: id, marked }: Lost) {
    let Backed { world, mut finder, colleague, holds } = backed;
    world.wait(60_000);
    // The second transaction first: under another number in the chain, as a tablet that joined again numbers it.
    let ops: Vec<Op> = finder.written.drain(..).map(|written| written.op).collect();
    (finder.acknowledged, finder.pen) = (0, Pen::new(finder.device.id, finder.device.site));
    for op in ops[2..].iter().chain(&ops[..2]) {
        let op = Op { dev_seq: finder.pen.last_seq + 1, ..op.clone() };
        let written = Written::new(&op, finder.pen.last_hash).unwrap();
        (finder.pen.last_seq, finder.pen.last_hash) = (op.dev_seq, written.hash);
        finder.written.push(written);
    }
    assert_eq!(finder.push(store).await, []);
    let again = issue(store, id, "branch").await;
    assert_eq!((&*again.line.number, again.line.status), ("ZJ-1", Status::Open), "opened anew");

    for (part, more) in [(&marked[holds..], true), (&marked[..0], false)] {
        let body = encode_return(part, more).unwrap();
        let answer = take_back(store, world.clone(), &colleague.device, &body).await.unwrap();
        assert!(answer.refused.is_empty());
    }
    let back = issue(store, id, "branch").await;
    assert_eq!((&*back.line.number, back.line.status), ("ZJ-2", Status::Assigned));
    assert!(back.line.unit.is_some());
    assert_eq!(back.line.severity, Severity::Critical, "what the finding says by now, not the first draft");
    let steps: Vec<_> = back.timeline.iter().map(|entry| entry.step).collect();
    assert_eq!(steps, [None, Some(Step::Assign)]);
    assert_eq!(back.timeline[0].by, "检查员甲");
    let numbers = super::issues::numbers(store).await;
    assert_eq!(numbers.len(), 2, "{numbers:?}");
    assert_ne!(numbers[0], numbers[1]);
    let before = log(store).await.next;
    give(store, &colleague, &[]).await;
    assert_eq!(log(store).await.next, before, "settled once");
}

/// Everything that the hub numbered, with its marks.
async fn marked(store: &dyn Store) -> Vec<Returned> {
    let body = pull::page(store, demo::site(), 0, 500, false, MORNING).await.unwrap();
    let (_, ops) = decode_pull(&body).unwrap();
    let returned = |one: standpipe_oplog::wire::Numbered| {
        let receipt = one.receipt.expect("a mark under each operation");
        Returned { at: one.at, receipt, body: one.body }
    };
    ops.into_iter().map(returned).collect()
}

async fn give(store: &dyn Store, tablet: &Tablet, ops: &[Returned]) -> (u64, Vec<Uuid>) {
    let answer =
        take_back(store, StillWorld::new(), &tablet.device, &encode_return(ops, false).unwrap()).await;
    let answer = answer.unwrap();
    (answer.taken, answer.refused)
}

pub async fn only_what_bears_the_hubs_own_mark_is_taken_back(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    tablet.record(store, [answers(check("P1-KZ"), "panel-clear", Outcome::Pass, None)]).await;
    let marked = marked(store).await;
    let before = log(store).await;
    assert_eq!(give(store, &tablet, &marked).await, (0, vec![]), "all of it is there");

    // Made up, changed, moved in time, or without a mark.
    let last = marked.last().unwrap();
    let op: Op = serde_json::from_str(&last.body).unwrap();
    let rename =
        Draft::set(entity::PERSON, demo::person("inspector").0, "name", serde_json::json!("x"), None);
    let made_up = Op { op_id: Uuid::from_u128(1), id: rename.id, entity: rename.entity.into(), ..op.clone() };
    let made_up = Written::new(&made_up, START).unwrap();
    let other_words = last.body.replace("pass", "fail");
    assert_ne!(other_words, *last.body);
    for (forged, id) in [
        (Returned { body: made_up.body, ..last.clone() }, Uuid::from_u128(1)),
        (Returned { body: other_words.into(), ..last.clone() }, op.op_id),
        (Returned { at: Millis(last.at.0 + 1), ..last.clone() }, op.op_id),
        (Returned { receipt: "".into(), ..last.clone() }, op.op_id),
    ] {
        assert_eq!(give(store, &tablet, &[forged]).await, (0, vec![id]));
    }
    assert_eq!(log(store).await, before);
}

pub async fn sums_tell_where_two_ends_differ(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    tablet.record(store, [answers(check("P1-KZ"), "panel-clear", Outcome::Pass, None)]).await;
    let all = ops(store).await;
    let whole = log(store).await;
    let sum = |upto: usize| {
        let held = all.iter().zip(&whole.ops).take(upto);
        held.map(|(op, line)| Checksum::of(op.op_id, line.at, &line.body)).sum::<Checksum>()
    };
    let (head, sums) = store.sums(demo::site(), vec![0, 1, 7, whole.next, u64::MAX]).await.unwrap();
    assert_eq!(head, whole.next);
    let end = usize::try_from(whole.next).unwrap();
    assert_eq!(sums, [sum(0), sum(1), sum(7), sum(end), sum(end)]);
}

pub async fn a_page_can_begin_where_its_transaction_does(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let garden = log(store).await.next;
    let pass = |item: &str| answers(check("P1-KZ"), item, Outcome::Pass, None);
    tablet.record(store, [pass("panel-clear"), pass("log-filled"), pass("staffed-round-the-clock")]).await;
    for (after, begins) in [(0, 0), (garden - 1, 0), (garden, garden), (garden + 2, garden)] {
        assert_eq!(store.beginning(demo::site(), after).await.unwrap(), begins, "{after}");
    }
    let body = pull::page(store, demo::site(), garden + 1, 1, true, MORNING).await.unwrap();
    let (head, ops) = decode_pull(&body).unwrap();
    assert_eq!((head.from, head.next, ops.len()), (garden, garden + 3, 3));
}
