//! What follows from the log can be dropped and made again.

use super::*;
use crate::store::Store;
use crate::store::rebuild::TABLES;
use crate::testing::{OWNERS, a_place, an_asset, set};
use rusqlite::types::Value;
use serde_json::json;
use standpipe_domain::asset::AssetKind;
use standpipe_domain::limit::Unit;
use standpipe_domain::place::PlaceKind;
use standpipe_domain::words::Words;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::op::Kind;
use standpipe_oplog::pen::Draft;

/// Every row of every projection, and every term of the text index.
pub fn dump(store: &Store) -> Vec<(String, Vec<Vec<Value>>)> {
    let terms = "SELECT term, doc, col, offset FROM temp.terms ORDER BY 1, 2, 3, 4".to_owned();
    let table = |table: &str| match table {
        "asset_text" => terms.clone(),
        // Whether a field has a register of its own may depend on the order of arrival; what it shows may not.
        "apart" => "SELECT * FROM reg ORDER BY 1, 2".to_owned(),
        table => format!("SELECT * FROM {table} ORDER BY 1, 2, 3"),
    };
    let connection = rusqlite::Connection::open(store.path()).unwrap();
    connection
        .execute_batch("CREATE VIRTUAL TABLE temp.terms USING fts5vocab (main, asset_text, instance)")
        .unwrap();
    let rows = |sql: String| {
        let mut statement = connection.prepare(&sql).unwrap();
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
        statement.query_map([], read).unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    TABLES.iter().map(|name| ((*name).to_owned(), rows(table(name)))).collect()
}

fn assert_rebuilds_the_same(tablet: &Tablet) {
    let store = tablet.engine.store();
    let before = dump(store);
    store.rebuild().unwrap();
    for ((name, before), (_, after)) in before.into_iter().zip(dump(store)) {
        assert_eq!(before, after, "{name}");
    }
}

#[test]
fn a_whole_number_is_made_again_as_it_was_recorded_and_the_same_tap_is_one_answer() {
    let tablet = Tablet::new();
    tablet.pass_all(check(STANDPIPE));
    let whole = Answer { reading: Some(Reading { value: 2.0, unit: Unit::Megapascal }), ..failing() };
    tablet.answer(STANDPIPE, "dynamic-pressure", whole.clone()).unwrap();
    let recorded = || tablet.engine.store().chain_state().unwrap().last_seq;
    let before = recorded();
    tablet.answer(STANDPIPE, "dynamic-pressure", whole).unwrap();
    assert_eq!(recorded(), before);
    assert_rebuilds_the_same(&tablet);
}

#[test]
fn a_signed_round_is_made_again_to_the_last_row() {
    let mut tablet = Tablet::new();
    tablet.sign_and_amend();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert!(dump(tablet.engine.store()).iter().filter(|(_, rows)| !rows.is_empty()).count() > 10);
    assert_rebuilds_the_same(&tablet);
}

#[test]
fn a_row_that_was_tampered_with_is_mended() {
    let tablet = Tablet::new();
    tablet.pass_all(check(EXTINGUISHER));
    let store = tablet.engine.store();
    let before = dump(store);
    store
        .write::<_, Error>("tampering", |writing| {
            writing.execute("UPDATE stop SET answered = 99", [])?;
            writing.execute("DELETE FROM apart", [])?;
            Ok(())
        })
        .unwrap();
    assert_ne!(dump(store), before);
    store.rebuild().unwrap();
    assert_eq!(dump(store), before);
}

#[test]
fn a_kind_and_a_field_of_tomorrow_are_kept_and_do_not_stand_in_the_way() {
    let mut tablet = Tablet::new();
    tablet.office.write([
        set("check", check(0).0, "of-tomorrow", json!({ "deep": [1, 2] }), None),
        set("drone", uuid::Uuid::from_u128(5), "height", json!(3), None),
        Draft { kind: Kind::Unknown, ..set("check", check(0).0, "x", json!(1), None) },
    ]);
    assert!(tablet.office.deliver(tablet.engine.store()).unwrap());
    tablet.pass_all(check(0));
    assert_rebuilds_the_same(&tablet);
}

#[test]
fn what_an_older_version_did_not_know_is_shown_after_an_update() {
    let mut tablet = Tablet::new();
    let asset = crate::testing::asset(0);
    let seen: Vec<_> = tablet.office.log.iter().map(|one| one.op.op_id).collect();
    let of_tomorrow = set("asset", asset.0, "", json!({ "saw": seen }), None);
    tablet.office.write([Draft { kind: Kind::Unknown, field: None, ..of_tomorrow }]);
    assert!(tablet.office.deliver(tablet.engine.store()).unwrap());
    // From here on the log says what this version knows. All else is as the older one left it.
    tablet
        .engine
        .store()
        .write::<_, Error>("updating", |writing| {
            let known = r#"replace(body, '"kind":"unknown"', '"kind":"delete"')"#;
            writing.execute(&format!("UPDATE op SET body = {known}"), [])?;
            writing.execute("UPDATE fact SET value = '0' WHERE name = 'projection'", [])?;
            Ok(())
        })
        .unwrap();
    assert_eq!(tablet.engine.asset(asset).unwrap().asset.id, asset);
    let tablet = tablet.restarted();
    assert_eq!(tablet.engine.asset(asset).unwrap_err().code(), "unknown");
}

#[test]
fn a_deleted_asset_is_gone_and_one_that_somebody_edited_meanwhile_is_kept() {
    let mut tablet = Tablet::new();
    let seen: Vec<_> = tablet.office.log.iter().map(|one| one.op.op_id).collect();
    let delete = |n: u32| {
        let id = crate::testing::asset(n).0;
        Draft { kind: Kind::Delete, field: None, ..set("asset", id, "", json!({ "saw": seen }), None) }
    };
    tablet.office.write([delete(0), delete(1)]);
    tablet.office.write([set("asset", crate::testing::asset(1).0, "tag", json!("ZJ-NEW"), None)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert_eq!(tablet.engine.asset(crate::testing::asset(0)).unwrap_err().code(), "unknown");
    assert_eq!(tablet.engine.search("ZJ-000000").unwrap(), []);
    assert_eq!(tablet.engine.asset(crate::testing::asset(1)).unwrap().asset.tag, "ZJ-NEW");
    assert_eq!(tablet.engine.round(ROUND).unwrap().stops.len(), 6, "its check was made, and stays");
    assert_rebuilds_the_same(&tablet);
}

/// A generator of numbers that needs nothing: Marsaglia, "Xorshift RNGs" (2003).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.roll(all.len() as u64)).unwrap()]
    }
}

/// What people and the office may do, in any order; some of it is refused.
fn do_something(tablet: &mut Tablet, dice: &mut Dice) {
    let n = u32::try_from(dice.roll(6)).unwrap();
    let list = tablet.list(n);
    let item = dice.of(&list.items).clone();
    let field = format!("answer:{}", item.id);
    match dice.roll(12) {
        0..=3 => _ = tablet.answer(n, &item.id, passing(&item)),
        4 => _ = tablet.answer(n, &item.id, failing()),
        5 => {
            let severity = *dice.of(&[Severity::Minor, Severity::Serious, Severity::Critical]);
            _ = tablet.say(n, &item.id, Some(severity), Some("坏了"));
        }
        6 => _ = tablet.attach(n, &item.id, "p", &[u8::try_from(dice.roll(4)).unwrap(); 9]),
        7 => _ = tablet.engine.detach(check(n), &item.id, sha256(&[u8::try_from(dice.roll(4)).unwrap(); 9])),
        8 => {
            let outcome = *dice.of(&["pass", "fail", "not-applicable"]);
            let base = tablet.office.log.last().map(|one| one.op.op_id).filter(|_| dice.roll(2) == 0);
            tablet.office.write([set(
                "check",
                check(n).0,
                &field,
                json!({ "outcome": outcome, "at": 1 }),
                base,
            )]);
        }
        9 => tablet.office.write([
            a_place(2 + n / 2, PlaceKind::Floor, Some(1), Words::same(format!("{}层", dice.roll(40)))),
            an_asset(n, AssetKind::Standpipe, Words::same("立管"), 2 + n / 2),
        ]),
        10 => {
            tablet.office.take_from(tablet.engine.store()).unwrap();
            assert!(tablet.office.deliver(tablet.engine.store()).unwrap(), "both ends hold the same");
        }
        _ => {
            let view = tablet.engine.check(check(n)).unwrap();
            if let Some(conflict) = view.conflicts.first() {
                let keep = &dice.of(&conflict.sides).rev;
                _ = tablet.engine.resolve(check(n), &conflict.field, keep, &conflict.revs());
            }
        }
    }
}

#[test]
fn whatever_was_done_in_whatever_order_is_made_again_the_same() {
    for seed in 1..=4 {
        let mut tablet = Tablet::new();
        let mut dice = Dice(seed * 0x9E37_79B9);
        for _ in 0..150 {
            do_something(&mut tablet, &mut dice);
        }
        tablet.engine.finish_previews();
        if seed % 2 == 0 {
            tablet.office.deliver(tablet.engine.store()).unwrap();
            for n in 0..6 {
                tablet.pass_all(check(n));
            }
            _ = tablet.sign(OWNERS[0], None);
        }
        assert_rebuilds_the_same(&tablet);
        let state = tablet.engine.round(ROUND).unwrap();
        let tablet = tablet.after_power_failure();
        assert_eq!(tablet.engine.round(ROUND).unwrap(), state, "seed {seed}");
    }
}

#[test]
fn answers_that_replace_each_other_in_a_ring_are_all_shown_and_made_again_so() {
    let mut tablet = Tablet::new();
    let field = format!("answer:{}", tablet.first_item(EXTINGUISHER));
    // A forger names the last one before it is written.
    let last = tablet.office.log.last().unwrap().op.op_id.as_u128();
    let [one, two, three] = [2, 3, 4].map(|n| uuid::Uuid::from_u128(last + n));
    let say = |outcome: &str, base| {
        let value = json!({ "outcome": outcome, "at": 5 });
        set("check", check(EXTINGUISHER).0, &field, value, Some(base))
    };
    tablet.office.write([say("pass", three), say("fail", one), say("not-applicable", two)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let view = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    let revs: Vec<_> = view.conflicts[0].sides.iter().map(|side| side.rev.clone()).collect();
    assert_eq!(revs, [two, three, one].map(|rev| rev.to_string()), "the worst first");
    assert_rebuilds_the_same(&tablet);
}
