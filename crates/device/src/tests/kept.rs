//! What somebody deleted, and was kept.

use super::*;
use crate::testing::{OWNERS, set};
use serde_json::json;
use standpipe_domain::finding::FindingView;
use standpipe_domain::kept::KeptAgainstDelete;
use standpipe_domain::record::{entity, finding_id};
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::pen::Draft;
use uuid::Uuid;

/// Somebody at the office deletes a record, having seen the first `seen` operations.
fn delete_at_the_office(tablet: &mut Tablet, entity: &'static str, id: Uuid, seen: usize) {
    let saw: Vec<_> = tablet.office.log[..seen].iter().map(|one| one.op.op_id).collect();
    let gone = set(entity, id, "", json!({ "saw": saw }), None);
    tablet.office.write([Draft { kind: Kind::Delete, field: None, ..gone }]);
}

fn by_the_office(signed: bool) -> KeptAgainstDelete {
    KeptAgainstDelete { by: "物业经理".into(), at: Millis(1_688_000_000_000), signed }
}

/// A tablet whose office has all that was recorded on it: a finding on the standpipe. With how much there was before.
fn recorded() -> (Tablet, usize, String) {
    let mut tablet = Tablet::new();
    let planned = tablet.office.log.len();
    tablet.pass_everything();
    let item = tablet.first_item(STANDPIPE);
    tablet.find(STANDPIPE, &item, &jpeg(7));
    tablet.engine.finish_previews();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    (tablet, planned, item)
}

#[test]
fn what_was_recorded_unseen_keeps_a_record_and_says_who_deleted_it() {
    let (mut tablet, planned, item) = recorded();
    let finding = finding_id(check(STANDPIPE), &item).0;
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let before = tablet.engine.round(ROUND).unwrap();
    assert!(before.kept.is_none() && before.findings[0].kept.is_none());
    assert!(before.stops.iter().all(|stop| stop.kept.is_none()));

    delete_at_the_office(&mut tablet, entity::CHECK, check(STANDPIPE).0, planned);
    delete_at_the_office(&mut tablet, entity::FINDING, finding, planned);
    delete_at_the_office(&mut tablet, entity::ROUND, ROUND.0, 0);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let round = tablet.engine.round(ROUND).unwrap();
    let said: Vec<_> = round.stops.iter().filter_map(|stop| Some((stop.check, stop.kept.clone()?))).collect();
    let kept = Some(by_the_office(false));
    assert_eq!(said, [(check(STANDPIPE), by_the_office(false))]);
    assert_eq!((&round.kept, &round.findings[0].kept), (&kept, &kept));
    let view = tablet.engine.check(check(STANDPIPE)).unwrap();
    assert_eq!((&view.stop.kept, &view.findings[0].kept), (&kept, &kept));

    // Whoever has seen what is there by now deletes it for good, with what stands in it.
    let all = tablet.office.log.len();
    delete_at_the_office(&mut tablet, entity::CHECK, check(STANDPIPE).0, all);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert_eq!(tablet.engine.round(ROUND).unwrap().stops.len(), 6, "its finding is there");
    delete_at_the_office(&mut tablet, entity::FINDING, finding, all);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert_eq!(tablet.engine.round(ROUND).unwrap().stops.len(), 5);
}

#[test]
fn what_stands_in_a_deleted_record_keeps_it_in_sight() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(STANDPIPE);
    let finding = finding_id(check(STANDPIPE), &item).0;
    // What is to be seen of the round: whether it says that it was kept, its stops, and findings that say something.
    let shown = |tablet: &mut Tablet| {
        tablet.office.deliver(tablet.engine.store()).unwrap();
        let before = tablet.engine.round(ROUND).ok();
        tablet.engine.store().rebuild().unwrap();
        let after = tablet.engine.round(ROUND).ok();
        assert_eq!(after, before, "made anew out of the log");
        let says = |finding: &&FindingView| !finding.words.is_empty();
        before.map(|it| (it.kept.is_some(), it.stops.len(), it.findings.iter().filter(says).count()))
    };
    let planned = tablet.office.log.len();
    let stops: Vec<_> = tablet.engine.round(ROUND).unwrap().stops.iter().map(|stop| stop.check.0).collect();
    delete_at_the_office(&mut tablet, entity::ROUND, ROUND.0, planned);
    assert_eq!(shown(&mut tablet), Some((true, stops.len(), 0)), "nobody deleted its checks");
    for stop in &stops {
        delete_at_the_office(&mut tablet, entity::CHECK, *stop, planned);
    }
    // A finding on the tablet, which has not heard of it.
    tablet.find(STANDPIPE, &item, &jpeg(7));
    tablet.engine.finish_previews();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    assert_eq!(shown(&mut tablet), Some((true, 1, 1)));

    let all = tablet.office.log.len();
    delete_at_the_office(&mut tablet, entity::CHECK, check(STANDPIPE).0, all);
    assert_eq!(shown(&mut tablet), Some((true, 1, 1)), "its answer was seen; its finding was not deleted");
    delete_at_the_office(&mut tablet, entity::FINDING, finding, all);
    assert_eq!(shown(&mut tablet), None, "the finding was the last that stood there");

    // A check that moves leaves nothing in the one round, and something in the other.
    let elsewhere = json!(Uuid::from_u128(0x7e57));
    let moved = |tablet: &mut Tablet, to: &serde_json::Value, base| {
        tablet.office.write([set(entity::CHECK, check(STANDPIPE).0, "round", to.clone(), base)]);
        let written = tablet.office.log.last().map(|one| one.op.op_id);
        (shown(tablet), written)
    };
    let plan = tablet.office.log.iter().find(|one| one.op.id == check(STANDPIPE).0).map(|one| one.op.op_id);
    let (seen, away) = moved(&mut tablet, &elsewhere, plan);
    assert_eq!(seen, None);
    let (seen, back) = moved(&mut tablet, &json!(ROUND), away);
    assert_eq!(seen, Some((true, 1, 0)));
    assert_eq!(moved(&mut tablet, &elsewhere, back).0, None);
}

#[test]
fn a_finding_that_is_gone_was_not_kept_though_its_item_still_fails() {
    let (mut tablet, _, item) = recorded();
    let all = tablet.office.log.len();
    let id = finding_id(check(STANDPIPE), &item).0;
    delete_at_the_office(&mut tablet, entity::FINDING, id, all);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let place = tablet.engine.check(check(STANDPIPE)).unwrap().findings.remove(0);
    assert_eq!((place.words.as_str(), place.kept), ("", None));

    // Somebody who finds the very same records it once more.
    tablet.find(STANDPIPE, &item, &jpeg(7));
    let again = tablet.engine.check(check(STANDPIPE)).unwrap().findings.remove(0);
    assert!(!again.words.is_empty() && again.kept.is_some());
    assert_eq!(again.photos.len(), 1);
    // As at first: a hub lets nobody change to which item a finding belongs.
    let written = tablet.engine.store().outbox(0).unwrap().bodies;
    let ops = written.iter().map(|body| serde_json::from_str::<Op>(body).unwrap());
    let belongs: Vec<Op> = ops
        .filter(|op| op.id == id && (op.field.is_none() || op.field.as_deref() == Some("check")))
        .collect();
    assert_eq!(belongs.iter().map(|op| op.field.clone()).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn what_was_signed_is_kept_and_says_so() {
    let (mut tablet, _, item) = recorded();
    let all = tablet.office.log.len();
    delete_at_the_office(&mut tablet, entity::CHECK, check(STANDPIPE).0, all);
    delete_at_the_office(&mut tablet, entity::FINDING, finding_id(check(STANDPIPE), &item).0, all);
    delete_at_the_office(&mut tablet, entity::ROUND, ROUND.0, all);
    tablet.sign(OWNERS[0], None).unwrap();
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let view = tablet.engine.check(check(STANDPIPE)).unwrap();
    let kept = Some(by_the_office(true));
    assert_eq!((&view.stop.kept, &view.findings[0].kept), (&kept, &kept));
    assert_eq!(tablet.engine.round(ROUND).unwrap().kept, kept);
}
