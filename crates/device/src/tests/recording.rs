//! Answers and findings, and what is refused.

use super::*;
use standpipe_domain::finding::Lack;
use standpipe_domain::ids::RoundId;
use standpipe_domain::limit::Unit;
use standpipe_domain::record::{entity, fields};
use standpipe_domain::round::{Round, RoundState, StopState};
use standpipe_oplog::pen::Draft;
use uuid::Uuid;

#[test]
fn today_shows_the_round_and_how_far_it_has_got() {
    let tablet = Tablet::new();
    let today = tablet.today();
    assert_eq!(today.site.unwrap().en, "Zhongjun Garden");
    assert_eq!(today.person.as_deref(), Some("巡检员"));
    assert_eq!(today.date, date("2023-07-01"));
    let [round] = &today.rounds[..] else { panic!("one round: {:?}", today.rounds) };
    assert_eq!((round.state, round.stops, round.stops_done, round.answered), (RoundState::Planned, 6, 0, 0));

    tablet.pass_all(check(EXTINGUISHER));
    let round = &tablet.today().rounds[0];
    assert_eq!((round.state, round.stops_done), (RoundState::UnderWay, 1));
    tablet.world.set_now(Millis(1_688_300_000_000));
    assert_eq!(tablet.today().rounds[0].state, RoundState::Overdue);
}

#[test]
fn today_leaves_out_nothing_that_is_to_be_done() {
    let mut tablet = Tablet::new();
    let round = tablet.engine.round(ROUND).unwrap().round;
    let old = |n: u128| Round {
        id: RoundId(Uuid::from_u128(0x01d0 + n)),
        due: date("2020-01-01"),
        ..round.clone()
    };
    tablet
        .office
        .write((0..300_u128).map(old).map(|round| Draft::record(entity::ROUND, round.id.0, fields(&round))));
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let rounds = tablet.today().rounds;
    assert_eq!((rounds.len(), rounds.last().map(|line| line.id)), (301, Some(ROUND)));
}

#[test]
fn a_tablet_without_an_office_shows_an_empty_day_and_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let engine = Engine::open(folder.path(), Arc::new(TestWorld::new(1))).unwrap();
    let error = engine.check(check(0)).unwrap_err();
    assert_eq!(error.code(), "not-enrolled");
    assert_eq!(engine.issues().unwrap(), []);
}

#[test]
fn an_answer_is_shown_with_its_stop() {
    let tablet = Tablet::new();
    let item = tablet.first_item(STANDPIPE);
    let view = tablet.answer(STANDPIPE, &item, answer(Outcome::Pass)).unwrap();
    assert_eq!(view.answers[&item].outcome, Outcome::Pass);
    assert_eq!((view.stop.answered, view.stop.state), (1, StopState::UnderWay));
    assert_eq!(
        view.stop.asset.path.iter().map(|name| name.en.as_str()).collect::<Vec<_>>(),
        ["Phase 1", "Building 4", "Floor 1"]
    );

    let view = tablet.answer(STANDPIPE, &item, failing()).unwrap();
    assert_eq!((view.stop.answered, view.stop.failed, view.stop.state), (1, 1, StopState::Failed));
    assert_eq!(view.conflicts, [], "who corrects an answer does not contradict themselves");
}

#[test]
fn water_may_not_be_drawn_before_the_control_room_was_told() {
    let tablet = Tablet::new();
    let list = tablet.list(STANDPIPE);
    let water = list.items.iter().find(|item| item.draws_water).unwrap();
    let refused = tablet.answer(STANDPIPE, &water.id, answer(Outcome::Pass)).unwrap_err();
    assert_eq!(refused.code(), "interlocked");
    let locks = tablet.engine.check(check(STANDPIPE)).unwrap().open_interlocks;
    assert_eq!(refused.problem().details["items"], serde_json::json!(locks));
    for lock in &locks {
        tablet.answer(STANDPIPE, lock, answer(Outcome::Pass)).unwrap();
    }
    tablet.answer(STANDPIPE, &water.id, answer(Outcome::Pass)).unwrap();
    assert_eq!(tablet.engine.check(check(STANDPIPE)).unwrap().open_interlocks, Vec::<String>::new());
}

#[test]
fn what_is_refused_leaves_no_operation_behind() {
    let tablet = Tablet::new();
    let before = tablet.engine.store().chain_state().unwrap();
    let reading =
        Answer { reading: Some(Reading { value: 9.0, unit: Unit::Megapascal }), ..answer(Outcome::Pass) };
    for (item, answer, code) in [
        ("no-such-item", answer(Outcome::Pass), "unknown-item"),
        ("static-pressure", answer(Outcome::Pass), "wrong-kind"),
        ("static-pressure", reading, "outside-limit"),
    ] {
        assert_eq!(tablet.answer(STANDPIPE, item, answer).unwrap_err().code(), code);
    }
    assert_eq!(tablet.answer(99, "door-seal", failing()).unwrap_err().code(), "unknown");
    assert_eq!(tablet.engine.store().chain_state().unwrap(), before);
}

#[test]
fn the_same_tap_sent_twice_is_one_answer() {
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    let once = tablet.engine.store().chain_state().unwrap().last_seq;
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    assert_eq!(tablet.engine.store().chain_state().unwrap().last_seq, once);
}

#[test]
fn a_failed_item_asks_for_words_and_a_photo() {
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    let new = NewFinding {
        check: check(EXTINGUISHER),
        item: item.clone(),
        severity: Some(Severity::Critical),
        words: Some("压力不足".into()),
        seen: Vec::new(),
    };
    assert_eq!(tablet.engine.finding(&new).unwrap_err().code(), "not-failed");

    let view = tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    assert_eq!(view.findings[0].lacks, [Lack::Words, Lack::Photo]);
    let view = tablet.engine.finding(&new).unwrap();
    assert_eq!(
        (view.findings[0].severity, view.findings[0].words.as_str()),
        (Severity::Critical, "压力不足")
    );
    assert_eq!(view.findings[0].lacks, [Lack::Photo]);
    assert_eq!(tablet.engine.round(ROUND).unwrap().obstacles.incomplete, 1);

    tablet.attach(EXTINGUISHER, &item, "表.jpg", &jpeg(3)).unwrap();
    let round = tablet.engine.round(ROUND).unwrap();
    assert_eq!((round.obstacles.incomplete, round.findings.len(), round.line.findings), (0, 1, 1));

    tablet.answer(EXTINGUISHER, &item, answer(Outcome::Pass)).unwrap();
    let view = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    assert_eq!((view.findings.len(), view.photos.len()), (0, 1), "the photo stays, with the item");
}

#[test]
fn only_what_changed_of_a_finding_is_written() {
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    tablet.say(EXTINGUISHER, &item, Some(Severity::Minor), Some("松动")).unwrap();
    let before = tablet.engine.store().chain_state().unwrap().last_seq;
    tablet.say(EXTINGUISHER, &item, Some(Severity::Serious), Some("松动")).unwrap();
    assert_eq!(tablet.engine.store().chain_state().unwrap().last_seq, before + 1);
}

#[test]
fn the_last_result_stands_beside_the_new_one() {
    let mut tablet = Tablet::new();
    let earlier = standpipe_domain::ids::RoundId(uuid::Uuid::from_u128(0x21));
    let kind = standpipe_domain::asset::AssetKind::Extinguisher;
    tablet.office.write([
        crate::testing::round(earlier, "2023-06-01", &[]),
        crate::testing::a_check_of(50, 0, earlier, 0, kind),
    ]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let item = tablet.first_item(EXTINGUISHER);
    assert!(tablet.engine.check(check(EXTINGUISHER)).unwrap().last.is_empty(), "nobody answered it");
    tablet.answer(50, &item, failing()).unwrap();
    let last = tablet.engine.check(check(EXTINGUISHER)).unwrap().last;
    assert_eq!((last[&item].answer.outcome, last[&item].on), (Outcome::Fail, date("2023-06-01")));
    assert!(tablet.engine.check(check(50)).unwrap().last.is_empty(), "the later round is not the last one");

    let asset = tablet.engine.asset(crate::testing::asset(0)).unwrap();
    assert_eq!(
        asset.checks.iter().map(|check| check.due).collect::<Vec<_>>(),
        [date("2023-07-01"), date("2023-06-01")]
    );
}

#[test]
fn somebody_who_may_only_read_records_nothing() {
    let mut tablet = Tablet::new();
    let roles = crate::testing::set(
        "person",
        crate::testing::INSPECTOR.0,
        "roles",
        serde_json::json!(["reader"]),
        None,
    );
    tablet.office.write([roles]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let item = tablet.first_item(EXTINGUISHER);
    assert_eq!(tablet.answer(EXTINGUISHER, &item, failing()).unwrap_err().code(), "not-allowed");
}

#[test]
fn what_was_typed_and_not_recorded_is_there_after_the_power_failed() {
    let tablet = Tablet::new();
    tablet.engine.keep_draft("note 1", "水泵有异响").unwrap();
    tablet.engine.keep_draft("note 2", "x").unwrap();
    tablet.engine.keep_draft("note 2", "").unwrap();
    let tablet = tablet.after_power_failure();
    let drafts: Vec<_> = tablet.engine.drafts().unwrap().into_iter().collect();
    assert_eq!(drafts, [("note 1".to_owned(), "水泵有异响".to_owned())]);
    assert_eq!(tablet.engine.store().waiting().unwrap().records, 0, "it is no record");
}

#[test]
fn what_an_earlier_version_kept_of_what_was_typed_is_there_after_the_update() {
    let tablet = Tablet::new();
    let Tablet { engine, world, folder, .. } = tablet;
    drop(engine);
    let earlier = rusqlite::Connection::open(folder.path().join(crate::store::FILE)).unwrap();
    earlier
        .execute_batch(
            "DROP TABLE draft; DROP TABLE receipt; DROP TABLE choice; DROP TABLE seen_to; DROP INDEX upload_arrived;
             DROP INDEX op_unnumbered; DROP INDEX op_deleted;
             ALTER TABLE blob DROP COLUMN at_office;
             DROP VIEW reg; ALTER TABLE apart RENAME TO reg;
             PRAGMA user_version = 2;
             INSERT INTO fact (name, value) VALUES ('draft:note 1', '水泵有异响');",
        )
        .unwrap();
    drop(earlier);
    let engine = Engine::open(folder.path(), world).unwrap();
    assert_eq!(
        engine.drafts().unwrap().into_iter().collect::<Vec<_>>(),
        [("note 1".into(), "水泵有异响".into())]
    );
}
