//! Two people's work: both stand, and somebody is asked.

use super::*;
use crate::testing::{OWNERS, set};
use serde_json::json;
use standpipe_domain::record::entity;
use standpipe_domain::tablet::{ConflictSide, FieldConflict};
use standpipe_oplog::op::Op;
use standpipe_oplog::wire::Refused;

fn colleague_says(tablet: &mut Tablet, item: &str, outcome: &str) {
    let value = json!({ "outcome": outcome, "at": 5 });
    tablet.office.write([set(entity::CHECK, check(EXTINGUISHER).0, &format!("answer:{item}"), value, None)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
}

/// Chooses a side, by whoever sees all of them.
fn resolve(tablet: &Tablet, conflict: &FieldConflict, keep: &str) -> Result<CheckView, Error> {
    tablet.engine.resolve(check(EXTINGUISHER), &conflict.field, keep, &conflict.revs())
}

#[test]
fn two_answers_to_one_item_both_stand_until_somebody_chooses() {
    let mut tablet = Tablet::new();
    tablet.pass_everything();
    let item = tablet.first_item(EXTINGUISHER);
    colleague_says(&mut tablet, &item, "not-applicable");
    let view = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    assert_eq!(view.answers[&item].outcome, Outcome::NotApplicable, "the worse of the two is shown");
    assert_eq!(
        view.conflicts[0].sides.iter().map(|side| side.by.as_str()).collect::<Vec<_>>(),
        ["物业经理", "巡检员"]
    );
    assert_eq!(tablet.sign(OWNERS[0], None).unwrap_err().code(), "in-conflict");
    let shown = |tablet: &Tablet| {
        tablet.engine.round(ROUND).unwrap().stops.iter().filter(|stop| stop.in_conflict).count()
    };
    assert_eq!(shown(&tablet), 1, "the route shows it before anybody opens the check");

    let keep = view.conflicts[0].sides[1].rev.clone();
    let view = resolve(&tablet, &view.conflicts[0], &keep).unwrap();
    assert_eq!((view.answers[&item].outcome, view.conflicts.len()), (Outcome::Pass, 0));
    assert_eq!(shown(&tablet), 0);
    tablet.sign(OWNERS[0], None).unwrap();
    let again = tablet.engine.resolve(check(STANDPIPE), "answer:x", &keep, &[]).unwrap_err();
    assert_eq!(again.code(), "sealed");
}

#[test]
fn a_conflict_says_what_both_started_from_and_of_each_who_wrote_it_when_and_on_which_device() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, answer(Outcome::Pass)).unwrap();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    let first = tablet.office.log.last().unwrap().op.clone();
    let field = format!("answer:{item}");
    let value = json!({ "outcome": "not-applicable", "at": 5 });
    tablet.office.write([set(entity::CHECK, check(EXTINGUISHER).0, &field, value, Some(first.op_id))]);
    let theirs = tablet.office.log.last().unwrap().op.clone();
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    tablet.office.deliver(tablet.engine.store()).unwrap();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    let own = tablet.office.log.last().unwrap().op.clone();

    let told = |side: &ConflictSide| {
        let outcome = side.value["outcome"].as_str().unwrap().to_owned();
        (side.rev.clone(), outcome, side.by.clone(), side.device.clone(), side.at)
    };
    let said = |op: &Op, outcome: &str, by: &str| {
        (op.op_id.to_string(), outcome.to_owned(), by.to_owned(), op.device.to_string(), op.device_time)
    };
    let [conflict] = &tablet.engine.check(check(EXTINGUISHER)).unwrap().conflicts[..] else { panic!("one") };
    assert_eq!(conflict.base.as_ref().map(told), Some(said(&first, "pass", "巡检员")));
    let sides: Vec<_> = conflict.sides.iter().map(told).collect();
    assert_eq!(sides, [said(&own, "fail", "巡检员"), said(&theirs, "not-applicable", "物业经理")]);
    assert_ne!(own.device, theirs.device);

    // Somebody who had seen neither: there is nothing that all started from.
    colleague_says(&mut tablet, &item, "not-applicable");
    let [conflict] = &tablet.engine.check(check(EXTINGUISHER)).unwrap().conflicts[..] else { panic!("one") };
    assert_eq!((conflict.sides.len(), &conflict.base), (3, &None));
}

#[test]
fn an_answer_given_over_all_sides_of_a_conflict_settles_it_and_one_over_the_shown_side_does_not() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, answer(Outcome::Pass)).unwrap();
    colleague_says(&mut tablet, &item, "fail");
    let view = tablet.answer(EXTINGUISHER, &item, answer(Outcome::NotApplicable)).unwrap();
    let outcomes: Vec<_> = view.conflicts[0].sides.iter().map(|side| &side.value["outcome"]).collect();
    assert_eq!(outcomes, ["not-applicable", "pass"], "the fail was shown");
    let seen = view.conflicts[0].revs();
    let view = tablet.answer_over(seen, EXTINGUISHER, &item, answer(Outcome::NotApplicable)).unwrap();
    assert_eq!((view.answers[&item].outcome, view.conflicts.len()), (Outcome::NotApplicable, 0));
    let field = format!("answer:{item}");
    let settled = tablet.engine.resolve(check(EXTINGUISHER), &field, "x", &[]).unwrap_err();
    assert_eq!(settled.code(), "not-in-conflict");
}

#[test]
fn a_colleagues_photo_is_elsewhere_until_its_thumbnail_came() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    let sha256 = standpipe_oplog::chain::sha256(b"on another tablet");
    let evidence = json!({
        "sha256": sha256, "media_type": "image/jpeg", "bytes": 17, "name": "a.jpg", "item": item, "at": 5
    });
    tablet.office.write([standpipe_oplog::pen::Draft::add(
        entity::CHECK,
        check(EXTINGUISHER).0,
        "photos",
        evidence,
    )]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let store = tablet.engine.store();
    let photo = || tablet.engine.check(check(EXTINGUISHER)).unwrap().photos[0].clone();
    let by = Some("物业经理".to_owned());
    assert_eq!(
        photo().whereabouts,
        standpipe_domain::evidence::Whereabouts::Elsewhere { at_office: None, by }
    );
    assert_eq!(store.wanted().unwrap(), [sha256]);
    assert_eq!(store.waiting().unwrap().photos, 0, "it is not this tablet's to send");

    store.put_thumbnail(sha256, &jpeg(1)).unwrap();
    assert_eq!(photo().preview, standpipe_domain::evidence::Preview::Ready);
    assert_eq!(store.wanted().unwrap(), []);
    assert!(tablet.engine.picture(sha256, crate::engine::Picture::Thumb).is_some());
    assert!(tablet.engine.picture(sha256, crate::engine::Picture::Original).is_none());
}

#[test]
fn both_ends_hold_the_same_after_a_push_and_a_pull() {
    let mut tablet = Tablet::new();
    tablet.pass_everything();
    let store = tablet.engine.store();
    while store.waiting().unwrap().records > 0 {
        tablet.office.take_from(store).unwrap();
    }
    let before = tablet.engine.round(ROUND).unwrap();
    assert!(tablet.office.deliver(store).unwrap(), "the checksums agree");
    assert_eq!(tablet.engine.round(ROUND).unwrap(), before);

    // A second tablet reads the same out of the same operations.
    let other = Tablet::numbered(2);
    assert!(tablet.office.deliver(other.engine.store()).unwrap());
    assert_eq!(other.engine.round(ROUND).unwrap(), before);
}

#[test]
fn a_hub_that_begins_a_new_epoch_is_read_again_without_doubles() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    let store = tablet.engine.store();
    tablet.office.take_from(store).unwrap();
    tablet.office.deliver(store).unwrap();
    let before = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    store.number_nothing_behind(0).unwrap();
    store.repaired(uuid::Uuid::from_u128(0xF), 0).unwrap();
    assert_eq!(store.cursor().unwrap(), (Some(uuid::Uuid::from_u128(0xF)), 0));
    assert!(tablet.office.deliver(store).unwrap());
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap(), before);
}

#[test]
fn a_tablet_whose_clock_runs_ahead_counts_as_at_the_office() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    // Ten years ahead; received today.
    tablet.world.set_now(Millis(2_003_000_000_000));
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    let store = tablet.engine.store();
    tablet.office.take_from(store).unwrap();
    tablet.office.received_by(Millis(1_688_173_200_000));
    assert!(tablet.office.deliver(store).unwrap());
    let hlc = store
        .read::<_, Error>("reading a stamp", |conn| {
            Ok(crate::store::replica::register(conn, check(EXTINGUISHER).0, &format!("answer:{item}"))?.sides
                [0]
            .hlc)
        })
        .unwrap();
    assert_eq!(hlc.time(), Millis(1_688_173_200_000 + standpipe_oplog::clock::MAX_AHEAD));
}

#[test]
fn what_is_written_is_later_than_all_that_was_heard_also_where_a_repair_brought_it() {
    for by_pages in [true, false] {
        let mut tablet = Tablet::new();
        // The office's clock is ahead of this tablet's.
        tablet.world.set_now(Millis(1_687_000_000_000));
        tablet.office.write([set("asset", crate::testing::asset(0).0, "tag", json!("ZJ-NEW"), None)]);
        let heard = tablet.office.log.last().unwrap().op.hlc;
        if by_pages {
            tablet.office.deliver(tablet.engine.store()).unwrap();
        } else {
            replace_all(&tablet);
        }
        tablet.answer(EXTINGUISHER, &tablet.first_item(EXTINGUISHER), failing()).unwrap();
        tablet.office.take_from(tablet.engine.store()).unwrap();
        assert!(tablet.office.log.last().unwrap().op.hlc > heard);
    }
}

#[test]
fn two_peoples_words_of_one_finding_both_stand_until_somebody_chooses() {
    let mut tablet = Tablet::new();
    tablet.pass_everything();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.find(EXTINGUISHER, &item, &jpeg(9));
    let id = standpipe_domain::record::finding_id(check(EXTINGUISHER), &item).0;
    tablet.office.write([set(entity::FINDING, id, "words", json!("压力不足"), None)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let view = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    let [conflict] = view.conflicts.as_slice() else { panic!("one conflict") };
    assert_eq!((conflict.field.as_str(), conflict.sides.len()), (format!("words:{item}").as_str(), 2));
    assert_eq!(tablet.sign(OWNERS[0], None).unwrap_err().code(), "in-conflict");
    let theirs = conflict.sides.iter().find(|side| side.value == json!("压力不足")).unwrap().rev.clone();
    let view = resolve(&tablet, conflict, &theirs).unwrap();
    assert_eq!((view.conflicts.len(), view.findings[0].words.as_str()), (0, "压力不足"));
    tablet.sign(OWNERS[0], None).unwrap();
}

#[test]
fn what_the_office_set_aside_does_not_count_until_it_is_taken() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let before = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    tablet.answer(EXTINGUISHER, &item, answer(Outcome::Pass)).unwrap();
    let after = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    assert_eq!(after.answers.len(), 1);
    let store = tablet.engine.store();
    let body = store.outbox(0).unwrap().bodies.pop().unwrap();
    let op: standpipe_oplog::op::Op = serde_json::from_str(&body).unwrap();
    let refused = Refused { op_id: op.op_id, code: "not-allowed".into(), detail: String::new() };
    store.set_aside(&[refused]).unwrap();
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap(), before, "as everybody else sees it");
    store.rebuild().unwrap();
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap(), before);
    // The office has thought better of it.
    tablet.office.take_from(store).unwrap();
    tablet.office.deliver(store).unwrap();
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap(), after);
    assert_eq!(store.waiting().unwrap().set_aside, 0);
}

#[test]
fn what_was_set_aside_and_comes_back_under_another_number_is_shown_again() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, answer(Outcome::Pass)).unwrap();
    let store = tablet.engine.store();
    tablet.office.take_from(store).unwrap();
    tablet.office.deliver(store).unwrap();
    let before = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    // The office was restored without saying so, and judged the answer anew; then a colleague gave it back.
    let mut again = tablet.office.log.last().unwrap().clone();
    let refused = Refused { op_id: again.op.op_id, code: "sealed".into(), detail: String::new() };
    store.set_aside(&[refused]).unwrap();
    assert!(tablet.engine.check(check(EXTINGUISHER)).unwrap().answers.is_empty());
    again.seq += 1;
    let head = standpipe_oplog::wire::PullHead {
        protocol: 1,
        hub_epoch: store.cursor().unwrap().0.unwrap(),
        from: again.seq - 1,
        next: again.seq,
        more: false,
        checksum: String::new(),
        now: Millis(0),
    };
    store.apply_page(&head, &[again]).unwrap();
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap(), before);
}

/// A colleague writes a field of the extinguisher's finding, over what stands there; gives what was seen of it before.
fn colleague_writes_over(tablet: &mut Tablet, item: &str, words: &str) -> Vec<Uuid> {
    let seen = tablet.engine.check(check(EXTINGUISHER)).unwrap().seen(&format!("words:{item}"));
    tablet.office.take_from(tablet.engine.store()).unwrap();
    let id = standpipe_domain::record::finding_id(check(EXTINGUISHER), item).0;
    tablet.office.write([set(entity::FINDING, id, "words", json!(words), seen.first().copied())]);
    assert!(tablet.office.deliver(tablet.engine.store()).unwrap());
    seen
}

fn words_over(tablet: &Tablet, item: &str, words: &str, seen: &[Uuid]) -> CheckView {
    let (item, words, seen) = (item.to_owned(), Some(words.to_owned()), seen.to_vec());
    let new = NewFinding { check: check(EXTINGUISHER), item, severity: None, words, seen };
    tablet.engine.finding(&new).unwrap()
}

fn values(conflict: &FieldConflict) -> Vec<&str> {
    conflict.sides.iter().map(|side| side.value.as_str().unwrap()).collect()
}

#[test]
fn words_that_came_while_somebody_was_writing_stand_beside_theirs() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.find(EXTINGUISHER, &item, &jpeg(9));
    let seen = colleague_writes_over(&mut tablet, &item, "软管破裂");
    let view = words_over(&tablet, &item, "封条破损，有锈", &seen);
    let [conflict] = &view.conflicts[..] else { panic!("one") };
    assert_eq!(values(conflict), ["封条破损，有锈", "软管破裂"]);
    assert_eq!(conflict.base.as_ref().unwrap().value, json!("封条破损"));

    // They go on writing, and their field still does not say what the colleague wrote.
    for words in ["封条破损，有锈，", "封条破损，有锈，缺销"] {
        let view = words_over(&tablet, &item, words, &seen);
        assert_eq!(values(&view.conflicts[0]), [words, "软管破裂"]);
        let shown = &view.revs[&format!("words:{item}")];
        assert_eq!(shown.len(), 1, "the other side is in no field");
        words_over(&tablet, &item, &format!("{words}。"), shown);
    }
    let before = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    tablet.engine.store().rebuild().unwrap();
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap(), before);
    tablet.office.take_from(tablet.engine.store()).unwrap();
    assert!(tablet.office.deliver(tablet.engine.store()).unwrap());
    assert_eq!(tablet.engine.check(check(EXTINGUISHER)).unwrap().conflicts, before.conflicts);
}

#[test]
fn a_note_that_came_while_somebody_was_writing_stands_beside_theirs() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    let noted = |note: &str| Answer { note: note.into(), ..failing() };
    let view = tablet.answer(EXTINGUISHER, &item, noted("漏")).unwrap();
    let seen = view.seen(&format!("answer:{item}"));
    tablet.office.take_from(tablet.engine.store()).unwrap();
    let theirs = json!({ "outcome": "fail", "note": "软管破裂", "at": 5 });
    let field = format!("answer:{item}");
    tablet.office.write([set(entity::CHECK, check(EXTINGUISHER).0, &field, theirs, Some(seen[0]))]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let view = tablet.answer_over(seen, EXTINGUISHER, &item, noted("漏水")).unwrap();
    let notes: Vec<_> = view.conflicts[0].sides.iter().map(|side| &side.value["note"]).collect();
    assert_eq!(notes, ["漏水", "软管破裂"]);
    // Nothing is seen where nothing is named.
    let view = tablet.answer_over(Vec::new(), EXTINGUISHER, &item, noted("滴水")).unwrap();
    assert!(view.conflicts[0].sides.iter().any(|side| side.value["note"] == "软管破裂"));
}

#[test]
fn what_one_person_saves_again_and_again_never_differs_from_itself() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    // None of these screens has heard yet what became of the saves before.
    for at in 1..=3 {
        let given = Answer { at: Millis(at), ..failing() };
        let view = tablet.answer_over(Vec::new(), EXTINGUISHER, &item, given).unwrap();
        assert_eq!((view.revs[&format!("answer:{item}")].len(), view.conflicts.len()), (1, 0));
    }
    for words in ["锈", "锈了", "锈了很多"] {
        assert!(words_over(&tablet, &item, words, &[]).conflicts.is_empty());
    }
    let field = format!("words:{item}");
    colleague_writes_over(&mut tablet, &item, "软管破裂");
    let seen = tablet.engine.check(check(EXTINGUISHER)).unwrap().seen(&field);
    for words in ["软管破裂了", "软管破裂了，已换", "软管破裂了，已换新"] {
        let view = words_over(&tablet, &item, words, &seen);
        assert_eq!((view.findings[0].words.as_str(), view.conflicts.len()), (words, 0));
    }
    // Also once the tablet was started anew, and with names that nobody knows.
    let tablet = tablet.restarted();
    let unknown = [seen[0], Uuid::from_u128(0xBAD)];
    assert!(words_over(&tablet, &item, "换好", &unknown).conflicts.is_empty());
}

#[test]
fn how_bad_a_finding_is_says_nothing_of_its_words() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.find(EXTINGUISHER, &item, &jpeg(9));
    let old = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    colleague_writes_over(&mut tablet, &item, "软管破裂");
    let seen = old.seen(&format!("severity:{item}"));
    let (check, severity) = (check(EXTINGUISHER), Some(Severity::Critical));
    let view = tablet.engine.finding(&NewFinding { check, item, severity, words: None, seen }).unwrap();
    let found = &view.findings[0];
    assert_eq!((found.severity, found.words.as_str()), (Severity::Critical, "软管破裂"));
    assert!(view.conflicts.is_empty());
}

#[test]
fn who_chooses_settles_what_they_saw() {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, answer(Outcome::Pass)).unwrap();
    colleague_says(&mut tablet, &item, "fail");
    let shown = tablet.engine.check(check(EXTINGUISHER)).unwrap().conflicts[0].clone();
    colleague_says(&mut tablet, &item, "not-applicable");
    let keep = &shown.sides.iter().find(|side| side.value["outcome"] == "pass").unwrap().rev;
    let unseen = tablet.engine.resolve(check(EXTINGUISHER), &shown.field, keep, &[]).unwrap_err();
    assert_eq!(unseen.code(), "not-in-conflict");
    let view = resolve(&tablet, &shown, keep).unwrap();
    let outcomes: Vec<_> = view.conflicts[0].sides.iter().map(|side| &side.value["outcome"]).collect();
    assert_eq!(outcomes, ["not-applicable", "pass"]);
    assert!(
        resolve(&tablet, &view.conflicts[0], &view.conflicts[0].sides[1].rev).unwrap().conflicts.is_empty()
    );
}
