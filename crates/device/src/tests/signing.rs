//! Signatures, and what a seal holds fast.

use super::*;
use crate::store::StoreError;
use crate::store::blobs::{Role, UploadKey};
use crate::testing::OWNERS;
use serde_json::json;
use standpipe_domain::ids::RoundId;
use standpipe_domain::record::finding_id;
use standpipe_domain::round::RoundState;
use standpipe_domain::signoff::SealedPhotos;
use standpipe_domain::sync::AsideId;
use standpipe_domain::tablet::NewAmendment;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::pen::Draft;
use standpipe_oplog::seal::Jws;
use standpipe_oplog::wire::Refused;
use uuid::Uuid;

fn op(body: &str) -> Op {
    serde_json::from_str(body).unwrap()
}

/// A tablet with everything answered, one finding with its photo.
pub(super) fn ready() -> Tablet {
    let tablet = Tablet::new();
    tablet.pass_everything();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.find(EXTINGUISHER, &item, &jpeg(21));
    tablet
}

#[test]
fn nothing_is_signed_while_something_is_missing() {
    let tablet = Tablet::new();
    assert_eq!(tablet.sign(OWNERS[0], None).unwrap_err().code(), "unanswered");
    tablet.pass_everything();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    let refused = tablet.sign(OWNERS[0], None).unwrap_err();
    assert_eq!((refused.code().as_str(), refused.problem().details), ("incomplete", json!({ "count": 1 })));
    tablet.find(EXTINGUISHER, &item, &jpeg(1));
    assert_eq!(tablet.sign(crate::testing::PROPERTY, None).unwrap_err().code(), "not-asked");
    tablet.sign(OWNERS[0], None).unwrap();
    assert_eq!(tablet.sign(OWNERS[0], None).unwrap_err().code(), "already-signed");
}

#[test]
fn a_round_without_its_route_is_not_signed() {
    let mut tablet = Tablet::new();
    let round = RoundId(uuid::Uuid::from_u128(0x21));
    tablet.office.write([crate::testing::round(round, "2023-07-02", &OWNERS)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let view = tablet.engine.round(round).unwrap();
    assert_eq!((view.stops.len(), view.obstacles.unanswered), (0, 1));
    let strokes = vec![vec![Point(1, 2, 0), Point(30, 40, 16), Point(50, 20, 32)]];
    let (name, digest) = ("业主代表".into(), view.digest);
    let sign = NewSignOff { round, unit: OWNERS[0], name, objection: None, strokes, digest };
    assert_eq!(tablet.engine.sign(sign).unwrap_err().code(), "unanswered");
}

#[test]
fn a_round_is_signed_when_everybody_has_even_with_an_objection() {
    let tablet = ready();
    let round = tablet.sign(OWNERS[0], None).unwrap();
    assert_eq!((round.line.state, round.line.signed), (RoundState::ToSign, 1));
    let round = tablet.sign(OWNERS[1], Some("三楼未查")).unwrap();
    assert_eq!(round.line.state, RoundState::Signed);
    let second = round.sign_offs[1].signed.as_ref().unwrap();
    assert_eq!(second.objection.as_deref(), Some("三楼未查"));
    assert_eq!((second.photos_on_their_way, second.photos_unconfirmed), (1, 0));
    let sealed = tablet.engine.check(check(STANDPIPE)).unwrap().sealed.unwrap();
    assert_eq!(sealed.by.len(), 2);
    assert!(round.stops.iter().all(|stop| stop.sealed));
}

#[test]
fn a_signed_photo_that_was_set_aside_or_lost_is_never_said_to_be_at_the_office() {
    let tablet = ready();
    tablet.sign(OWNERS[0], None).unwrap();
    let store = tablet.engine.store();
    let key = UploadKey { of: sha256(&jpeg(21)), role: Role::Original };
    let counted = || {
        let SealedPhotos { on_their_way, unconfirmed } = tablet.engine.round(ROUND).unwrap().sealed_photos;
        (on_their_way, unconfirmed)
    };
    assert_eq!(counted(), (1, 0));
    for code in ["hub-fault", "file-missing-unasked", "file-damaged", "file-missing"] {
        store.upload_set_aside(key, code).unwrap();
        assert_eq!(counted(), (0, 1), "{code}: it does not go by itself");
    }
    tablet.engine.see_to(&[AsideId::Photo(key.of)], true).unwrap();
    assert_eq!(counted(), (0, 1), "somebody has seen to its loss, and it is lost");
    store.upload_retry_all(false).unwrap();
    assert_eq!(counted(), (1, 0), "its file has come back");
    store.upload_verified(key).unwrap();
    assert_eq!(counted(), (0, 0));
}

#[test]
fn what_was_signed_takes_no_edit_only_an_amendment() {
    let tablet = ready();
    tablet.sign(OWNERS[0], None).unwrap();
    let item = tablet.first_item(EXTINGUISHER);
    let code = |result: Result<CheckView, Error>| result.unwrap_err().code();
    let finding = NewFinding {
        check: check(EXTINGUISHER),
        item: item.clone(),
        severity: Some(Severity::Minor),
        words: Some("没事".into()),
        seen: Vec::new(),
    };
    assert_eq!(code(tablet.answer(EXTINGUISHER, &item, answer(Outcome::Pass))), "sealed");
    assert_eq!(code(tablet.engine.finding(&finding)), "sealed");
    assert_eq!(code(tablet.engine.detach(check(EXTINGUISHER), &item, sha256(&jpeg(21)))), "sealed");
    assert_eq!(tablet.attach(EXTINGUISHER, &item, "2.jpg", &jpeg(2)).unwrap_err().code(), "sealed");

    let mut amendment = NewAmendment {
        check: check(EXTINGUISHER),
        item: item.clone(),
        answer: answer(Outcome::Pass),
        reason: " ".into(),
        severity: None,
    };
    assert_eq!(code(tablet.engine.amend(&amendment)), "no-reason");
    amendment.reason = "看错了".into();
    let view = tablet.engine.amend(&amendment).unwrap();
    assert_eq!(view.answers[&item].outcome, Outcome::Fail, "what was signed is what is shown");
    assert_eq!((view.amendments[0].reason.as_str(), view.amendments[0].signed), ("看错了", false));

    let again = |tablet: &Tablet| tablet.engine.round(ROUND).unwrap().sign_offs[0].unsigned_amendments;
    assert_eq!(again(&tablet), 1);
    let round = tablet.sign(OWNERS[0], None).unwrap();
    assert_eq!(again(&tablet), 0);
    assert!(tablet.engine.check(check(EXTINGUISHER)).unwrap().amendments[0].signed);
    let newest = round.sign_offs[0].signed.as_ref().unwrap().id;
    let file: Jws = serde_json::from_str(&tablet.engine.export_seal(newest).unwrap()).unwrap();
    let sealed = file.payload().unwrap().checks.into_iter().find(|it| it.id == check(EXTINGUISHER)).unwrap();
    let [amended] = sealed.amendments.as_slice() else { panic!("what was signed is in the file") };
    assert_eq!((amended.reason.as_str(), amended.answer.outcome), ("看错了", Outcome::Pass));
    assert_eq!(tablet.sign(OWNERS[0], None).unwrap_err().code(), "already-signed");
}

#[test]
fn an_amendment_to_fail_is_a_finding() {
    let tablet = ready();
    tablet.sign(OWNERS[0], None).unwrap();
    let item = tablet.list(EXTINGUISHER).items[1].id.clone();
    let amendment = NewAmendment {
        check: check(EXTINGUISHER),
        item: item.clone(),
        answer: failing(),
        reason: "复查时发现".into(),
        severity: Some(Severity::Critical),
    };
    let before = tablet.engine.store().chain_state().unwrap().last_seq;
    tablet.engine.amend(&amendment).unwrap();
    let written: Vec<Op> =
        tablet.engine.store().outbox(before).unwrap().bodies.iter().map(|body| op(body)).collect();
    let finding: Vec<_> =
        written.iter().filter(|op| op.id == finding_id(check(EXTINGUISHER), &item).0).collect();
    assert!(finding.iter().any(|op| op.value == json!("critical")));
    assert!(finding.iter().any(|op| op.value == json!("复查时发现")), "the office opens an issue for it");
    // It wants its proof; what was signed otherwise takes none.
    let photo = tablet.attach(EXTINGUISHER, &item, "late.jpg", &jpeg(22)).unwrap();
    let other = tablet.first_item(EXTINGUISHER);
    assert_eq!(tablet.attach(EXTINGUISHER, &other, "3.jpg", &jpeg(3)).unwrap_err().code(), "sealed");
    let view = tablet.engine.check(check(EXTINGUISHER)).unwrap();
    assert!(view.photos.iter().any(|shown| shown.evidence.sha256 == photo.evidence.sha256));
    let again = tablet.sign(OWNERS[0], None).unwrap().sign_offs[0].signed.as_ref().unwrap().id;
    let file: Jws = serde_json::from_str(&tablet.engine.export_seal(again).unwrap()).unwrap();
    assert!(
        file.payload().unwrap().evidence.contains(&photo.evidence.sha256),
        "and the next signature covers it"
    );
    assert_eq!(view.answers[&item].outcome, Outcome::Pass, "what was signed is what is shown");
    // Why it is amended once more says nothing of what is wrong.
    let before = tablet.engine.store().chain_state().unwrap().last_seq;
    let amendment = NewAmendment { reason: "读数看错了".into(), severity: None, ..amendment };
    tablet.engine.amend(&amendment).unwrap();
    let written = tablet.engine.store().outbox(before).unwrap().bodies;
    let kinds: Vec<_> = written.iter().map(|body| op(body).kind).collect();
    assert_eq!(kinds, [Kind::Amend], "the finding keeps its words");
}

#[test]
fn an_amended_round_is_to_be_signed_again() {
    let tablet = ready();
    let state = |tablet: &Tablet| (tablet.today().rounds[0].state, tablet.today().rounds[0].signed);
    let sign = |tablet: &Tablet| OWNERS.map(|unit| tablet.sign(unit, None).unwrap());
    sign(&tablet);
    assert_eq!(state(&tablet), (RoundState::Signed, 2));
    let item = tablet.first_item(EXTINGUISHER);
    let amendment = NewAmendment {
        check: check(EXTINGUISHER),
        item,
        answer: answer(Outcome::Pass),
        reason: "看错了".into(),
        severity: None,
    };
    tablet.engine.amend(&amendment).unwrap();
    assert_eq!(state(&tablet), (RoundState::ToSign, 0));
    // Whoever signs again reads what was changed.
    let [amended] = &tablet.engine.round(ROUND).unwrap().amendments[..] else { panic!("one") };
    assert_eq!((amended.asset.en.as_str(), amended.amendment.reason.as_str()), ("Extinguisher", "看错了"));
    assert_eq!(amended.was.as_ref().unwrap().outcome, Outcome::Fail);
    assert!(amended.asked.is_some());
    sign(&tablet);
    assert_eq!(state(&tablet), (RoundState::Signed, 2));
}

#[test]
fn an_open_check_needs_no_amendment() {
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    let amendment = NewAmendment {
        check: check(EXTINGUISHER),
        item,
        answer: failing(),
        reason: "看错了".into(),
        severity: None,
    };
    assert_eq!(tablet.engine.amend(&amendment).unwrap_err().code(), "not-sealed");
}

#[test]
fn an_exported_seal_verifies_with_the_file_alone() {
    let tablet = ready();
    let round = tablet.sign(OWNERS[0], None).unwrap();
    let id = round.sign_offs[0].signed.as_ref().unwrap().id;
    let file = tablet.engine.export_seal(id).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let saved = tablet.engine.save_seal(id, &folder.path().join("downloads")).unwrap();
    assert_eq!(std::fs::read_to_string(&saved).unwrap(), file);
    assert_eq!(
        tablet.engine.save_seal(id, saved.parent().unwrap()).unwrap(),
        saved,
        "once more, in its place"
    );
    assert_eq!(std::fs::read_dir(saved.parent().unwrap()).unwrap().count(), 1, "and nothing beside it");
    let payload = serde_json::from_str::<Jws>(&file).unwrap().verify(None).unwrap().payload;
    assert_eq!((payload.round, payload.checks.len(), payload.findings.len()), (ROUND, 6, 1));
    assert_eq!(payload.evidence, [sha256(&jpeg(21))]);
    let list = tablet.list(STANDPIPE);
    let sealed = payload.checks.iter().find(|sealed| sealed.id == check(STANDPIPE)).unwrap();
    assert_eq!(sealed.answers.len(), list.items.len());
    assert!(list.items.iter().all(|item| sealed.revs.contains_key(&format!("answer:{}", item.id))));

    let [report] = &tablet.engine.verify_seals(ROUND).unwrap()[..] else { panic!("one seal") };
    assert!(report.genuine && report.unchanged);
    assert_eq!((report.photos, report.countersigned), (1, None));
}

#[test]
fn a_seal_that_was_tampered_with_is_not_genuine() {
    let tablet = ready();
    tablet.sign(OWNERS[0], None).unwrap();
    let store = tablet.engine.store();
    // The name is signed too; a letter of it changed in the stored bytes must show.
    store
        .write::<_, StoreError>("tampering", |writing| {
            let body: String =
                writing.query_row("SELECT body FROM op WHERE kind = 'seal'", [], |row| row.get(0))?;
            let mut op: serde_json::Value = serde_json::from_str(&body).unwrap();
            let other = op["value"]["payload"].as_str().unwrap().replacen("eyJhdCI6", "eyJhdCI7", 1);
            op["value"]["payload"] = other.into();
            writing.execute("UPDATE op SET body = ?1 WHERE kind = 'seal'", [op.to_string()])?;
            Ok(())
        })
        .unwrap();
    let reports = tablet.engine.verify_seals(ROUND).unwrap();
    assert!(!reports[0].genuine);
}

#[test]
fn a_late_answer_of_a_colleague_stands_beside_what_was_sealed() {
    let mut tablet = ready();
    let item = tablet.first_item(STANDPIPE);
    tablet.sign(OWNERS[0], None).unwrap();
    let late = json!({ "outcome": "fail", "at": 1 });
    tablet.office.write([crate::testing::set(
        "check",
        check(STANDPIPE).0,
        &format!("answer:{item}"),
        late,
        None,
    )]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let view = tablet.engine.check(check(STANDPIPE)).unwrap();
    assert_eq!(view.answers[&item].outcome, Outcome::Pass);
    assert_eq!(view.conflicts.len(), 1, "it is shown");
    assert!(tablet.engine.verify_seals(ROUND).unwrap()[0].unchanged);
    tablet.sign(OWNERS[1], None).unwrap();
}

#[test]
fn a_photo_that_was_signed_stays_though_a_colleague_had_taken_it_off() {
    let mut tablet = ready();
    tablet.sign(OWNERS[0], None).unwrap();
    assert!(tablet.engine.verify_seals(ROUND).unwrap()[0].unchanged);
    let held = |conn: &rusqlite::Connection| crate::store::query::evidence_of(conn, check(EXTINGUISHER));
    let held = tablet.engine.store().read("looking", held).unwrap().remove(0);
    let saw = json!({ "saw": [held.rev] });
    let gone = crate::testing::set(held.entity, held.record, "photos", saw, None);
    tablet.office.write([Draft { kind: Kind::Remove, ..gone }]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert!(tablet.engine.verify_seals(ROUND).unwrap()[0].unchanged, "as at the office");
    let held = |conn: &rusqlite::Connection| crate::store::query::evidence_of(conn, check(EXTINGUISHER));
    assert!(!tablet.engine.store().read("looking", held).unwrap().is_empty());
}

#[test]
fn the_offices_signature_is_shown_once_it_has_come() {
    let mut tablet = ready();
    let round = tablet.sign(OWNERS[0], None).unwrap();
    let id = round.sign_offs[0].signed.as_ref().unwrap().id;
    let mut jws: Jws = serde_json::from_str(&tablet.engine.export_seal(id).unwrap()).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    standpipe_oplog::seal::countersign(&mut jws, crate::testing::HUB, &key, Millis(77), 5).unwrap();
    let value = serde_json::to_value(&jws.signatures[1]).unwrap();
    tablet.office.write([crate::testing::set("sign-off", id.0, "countersigned", value, None)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert_eq!(tablet.engine.verify_seals(ROUND).unwrap()[0].countersigned, Some(Millis(77)));
}

#[test]
fn what_was_recorded_after_the_summary_was_read_is_not_signed_unread() {
    let tablet = ready();
    let digest = tablet.engine.round(ROUND).unwrap().digest;
    let item = tablet.first_item(STANDPIPE);
    tablet.answer(STANDPIPE, &item, answer(Outcome::NotApplicable)).unwrap();
    let strokes = vec![vec![Point(0, 0, 0), Point(5, 5, 9), Point(9, 2, 20)]];
    let new =
        NewSignOff { round: ROUND, unit: OWNERS[0], name: "甲".into(), objection: None, strokes, digest };
    assert_eq!(tablet.engine.sign(new).unwrap_err().code(), "changed-meanwhile");
    tablet.sign(OWNERS[0], None).unwrap();
}

/// Somebody plans anew and deletes a record with all that the office has of it.
fn delete_at_the_office(tablet: &mut Tablet, entity: &'static str, id: Uuid) {
    let saw: Vec<_> = tablet.office.log.iter().map(|one| one.op.op_id).collect();
    let gone = crate::testing::set(entity, id, "", json!({ "saw": saw }), None);
    tablet.office.write([Draft { kind: Kind::Delete, field: None, ..gone }]);
}

#[test]
fn what_was_signed_stays_though_it_was_deleted_before_the_seal_came() {
    let mut tablet = ready();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    delete_at_the_office(&mut tablet, "check", check(STANDPIPE).0);
    delete_at_the_office(&mut tablet, "round", ROUND.0);
    tablet.sign(OWNERS[0], None).unwrap();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    // Who signed hears of it afterwards; a colleague before the seal comes, and another together with it.
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let (later, at_once) = (Tablet::numbered(2), Tablet::numbered(3));
    tablet.office.deliver_in(1, later.engine.store()).unwrap();
    tablet.office.deliver(at_once.engine.store()).unwrap();
    for tablet in [tablet, later, at_once] {
        let round = tablet.engine.round(ROUND).unwrap();
        assert_eq!(round.stops.len(), 6);
        assert!(round.stops.iter().all(|stop| stop.sealed));
        assert!(tablet.engine.verify_seals(ROUND).unwrap()[0].unchanged);
        let before = super::rebuilding::dump(tablet.engine.store());
        tablet.engine.store().rebuild().unwrap();
        assert_eq!(super::rebuilding::dump(tablet.engine.store()), before);
    }
}

#[test]
fn what_nobody_signed_is_gone_once_it_is_deleted() {
    let mut tablet = ready();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    delete_at_the_office(&mut tablet, "check", check(STANDPIPE).0);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert_eq!(tablet.engine.round(ROUND).unwrap().stops.len(), 5);
}

#[test]
fn a_signature_that_the_office_sets_aside_lets_go_of_its_round() {
    let mut tablet = ready();
    tablet.office.take_from(tablet.engine.store()).unwrap();
    let round = tablet.engine.round(ROUND).unwrap();
    delete_at_the_office(&mut tablet, "round", ROUND.0);
    round.stops.iter().for_each(|stop| delete_at_the_office(&mut tablet, "check", stop.check.0));
    round.findings.iter().for_each(|finding| delete_at_the_office(&mut tablet, "finding", finding.id.0));
    tablet.sign(OWNERS[0], None).unwrap();
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert!(tablet.engine.round(ROUND).is_ok(), "what was signed stays");

    let store = tablet.engine.store();
    let sealed: Op = serde_json::from_str(store.outbox(0).unwrap().bodies.last().unwrap()).unwrap();
    assert_eq!(sealed.kind, Kind::Seal);
    let refused = Refused { op_id: sealed.op_id, code: "sealed".into(), detail: String::new() };
    store.set_aside(&[refused]).unwrap();
    assert_eq!(tablet.engine.round(ROUND).unwrap_err().code(), "unknown");
    let before = super::rebuilding::dump(store);
    store.rebuild().unwrap();
    assert_eq!(super::rebuilding::dump(store), before);
}
