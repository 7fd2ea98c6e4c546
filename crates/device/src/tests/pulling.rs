//! What comes from the office shows the same in pages of whatever size: one that holds all of a record is made into rows
//! without a look at the database.

use super::rebuilding::dump;
use super::*;
use crate::testing::{a_check, a_place, an_asset, asset, set};
use serde_json::{Value, json};
use standpipe_domain::asset::AssetKind;
use standpipe_domain::ids::{AssetId, PlaceId};
use standpipe_domain::place::PlaceKind;
use standpipe_domain::record::entity;
use standpipe_domain::words::Words;
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::pen::Draft;
use standpipe_oplog::wire::Numbered;
use uuid::Uuid;

/// Everything that can happen to a record.
fn office() -> Office {
    let mut tablet = Tablet::new();
    tablet.sign_and_amend();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    let mut office = tablet.office;

    let whole = |n: u32, fields: Value| {
        let Value::Object(fields) = fields else { unreachable!() };
        Draft::record(entity::CHECK, check(n).0, fields)
    };
    let pass = |at: i64| json!({ "outcome": "pass", "at": at });
    let fail = json!({ "outcome": "fail", "at": 3 });
    // An asset before its place, and one that moves with it.
    office.write([an_asset(40, AssetKind::Extinguisher, Words::new("灭火器", "Extinguisher"), 40)]);
    office.write([a_place(40, PlaceKind::Floor, Some(1), Words::new("9层", "Floor 9"))]);
    // Planned, answered at once, and then one answer anew; once more at once by somebody who had not seen it.
    office.write([a_check(40, ROUND, 40, AssetKind::Extinguisher)]);
    office.write([whole(40, json!({ "answer:in-place": pass(1), "answer:unobstructed": pass(2) }))]);
    let seen = office.log.last().map(|one| one.op.op_id);
    office.write([set(entity::CHECK, check(40).0, "answer:in-place", fail.clone(), seen)]);
    office.write([whole(40, json!({ "answer:in-place": pass(5), "answer:label-legible": pass(6) }))]);
    // An answer before the check that it is of.
    office.write([set(entity::CHECK, check(41).0, "answer:in-place", fail, None)]);
    office.write([a_check(41, ROUND, 40, AssetKind::Extinguisher)]);
    // Written at once and deleted at once; deleted, and written on by somebody who had not seen that.
    office.write([
        a_check(42, ROUND, 0, AssetKind::Extinguisher),
        a_check(43, ROUND, 0, AssetKind::Extinguisher),
    ]);
    let saw: Vec<Uuid> = office.log.iter().map(|one| one.op.op_id).collect();
    let gone = |n: u32| {
        let saw = json!({ "saw": saw });
        Draft { kind: Kind::Delete, field: None, ..set(entity::CHECK, check(n).0, "", saw, None) }
    };
    office.write([gone(42), gone(43)]);
    office.write([whole(43, json!({ "answer:in-place": pass(9) }))]);
    // A record that is whole only with its second operation, and one of tomorrow.
    let half = |fields: Value| {
        let Value::Object(fields) = fields else { unreachable!() };
        Draft::record(entity::ASSET, AssetId(Uuid::from_u128(0x77)).0, fields)
    };
    office.write([half(json!({ "kind": "extinguisher", "tag": "ZJ-HALF", "facts": {} }))]);
    let place = PlaceId(Uuid::from_u128(0x1002));
    office.write([half(json!({ "name": { "zh-CN": "半", "en": "Half" }, "place": place }))]);
    office.write([Draft::record("drone", Uuid::from_u128(5), serde_json::Map::new())]);
    office.write([Draft { kind: Kind::Unknown, ..set(entity::CHECK, check(40).0, "x", json!(1), None) }]);
    office
}

#[test]
fn a_record_shows_the_same_whatever_the_pages() {
    let office = office();
    let one_by_one = Tablet::numbered(2);
    assert!(office.deliver_in(1, one_by_one.engine.store()).unwrap());
    let expected = dump(one_by_one.engine.store());
    for ops in [2, 5, 17, 5_000] {
        let tablet = Tablet::numbered(2);
        assert!(office.deliver_in(ops, tablet.engine.store()).unwrap());
        for ((name, expected), (_, found)) in expected.iter().zip(dump(tablet.engine.store())) {
            assert_eq!(*expected, found, "{name}, in pages of {ops}");
        }
        tablet.engine.store().rebuild().unwrap();
        assert_eq!(dump(tablet.engine.store()), expected, "made again, after pages of {ops}");
    }
    let view = one_by_one.engine.check(check(40)).unwrap();
    assert_eq!(view.answers["in-place"].outcome, Outcome::Fail, "of two results the worse one is shown");
    assert_eq!(view.conflicts.len(), 1);
    assert_eq!(one_by_one.engine.search("9层").unwrap().len(), 1, "found by the place that came later");
    assert_eq!(one_by_one.engine.asset(asset(40)).unwrap().asset.tag, "ZJ-000040");
}

#[test]
fn a_page_that_was_taken_in_is_there_after_a_power_failure_and_the_next_one_goes_on_behind_it() {
    let office = office();
    let tablet = Tablet::numbered(3);
    let middle = office.log.len() / 2;
    let mut first = Office::with_estate();
    first.log.clone_from(&office.log);
    first.log.truncate(middle);
    first.deliver_in(7, tablet.engine.store()).unwrap();
    let tablet = tablet.after_power_failure();
    assert_eq!(tablet.engine.store().cursor().unwrap().1, middle as u64);
    assert!(office.deliver_in(7, tablet.engine.store()).unwrap(), "both ends hold the same");
}

#[test]
fn what_one_operation_wrote_at_once_has_no_second_copy() {
    let tablet = Tablet::new();
    let registers = || -> u32 {
        let count = |conn: &rusqlite::Connection| {
            Ok::<_, crate::store::StoreError>(
                conn.query_row("SELECT count(*) FROM apart", [], |row| row.get(0))?,
            )
        };
        tablet.engine.store().read("counting", count).unwrap()
    };
    assert_eq!(registers(), 0, "the estate was written record by record");
    tablet.answer(EXTINGUISHER, "in-place", answer(Outcome::Pass)).unwrap();
    assert_eq!(registers(), 1);
}

#[test]
fn other_work_of_one_id_is_shown_of_a_record_that_came_in_the_same_page() {
    let tablet = Tablet::numbered(2);
    let store = tablet.engine.store();
    let mut office = Office::with_estate();
    assert!(office.deliver_in(5_000, store).unwrap());
    tablet.answer(EXTINGUISHER, "in-place", answer(Outcome::Pass)).unwrap();
    let own: Op = serde_json::from_str(&store.outbox(0).unwrap().bodies[0]).unwrap();
    // Somebody has written under its id, of a check that comes just before.
    office.write([a_check(50, ROUND, 0, AssetKind::Extinguisher)]);
    let fail = json!({ "outcome": "fail", "at": 3 });
    office.write([set(entity::CHECK, check(50).0, "answer:in-place", fail, None)]);
    let forged = office.log.last_mut().unwrap();
    forged.body = forged.body.replace(&forged.op.op_id.to_string(), &own.op_id.to_string()).into();
    forged.op.op_id = own.op_id;
    office.deliver_in(5_000, store).unwrap();
    let sum: Checksum = office.log.iter().map(Numbered::checksum).sum();
    assert_eq!(store.held_sums().unwrap().upto(u64::MAX), sum, "both ends hold the same");
    let round = || tablet.engine.round(ROUND).unwrap();
    let before = (dump(store), round());
    store.rebuild().unwrap();
    assert_eq!((dump(store), round()), before);
    assert_eq!(tablet.engine.check(check(50)).unwrap().answers["in-place"].outcome, Outcome::Fail);
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap().answers["in-place"].outcome, Outcome::Pass);
    let last: Op = serde_json::from_str(store.outbox(0).unwrap().bodies.last().unwrap()).unwrap();
    assert_ne!(last.op_id, own.op_id, "it goes up under an id of its own");
    assert_eq!((last.id, last.value), (own.id, own.value));
}
