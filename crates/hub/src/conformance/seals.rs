//! Signatures over what was recorded.

use super::kit::{
    MORNING, StillWorld, Tablet, answers, check, finding, garden, give_roles, ops, photo, remove_issue,
    round, value,
};
use crate::demo;
use crate::ingest::judge_again;
use crate::office::{Hand, write};
use crate::store::{Ledger, Store};
use crate::world::{World, day};
use serde_json::json;
use standpipe_domain::answer::Outcome;
use standpipe_domain::ids::{CheckId, DeviceId, FindingId, RoundId, Sha256, SignOffId, SiteId, UnitId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::office::OfficeRound;
use standpipe_domain::record::{entity, fields, issue_id};
use standpipe_domain::signoff::Point;
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::pen::Draft;
use standpipe_oplog::seal::{COUNTERSIGNED, SealPayload, SealedCheck, SealedFinding, seal};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

const PIPE: &str = "B4-01-LG";

/// What was recorded, and is sealed.
pub struct Recorded {
    pub answer: Uuid,
    pub finding: FindingId,
    pub photo: Sha256,
}

/// A failed item with its finding and photo.
pub(super) async fn recorded(store: &dyn Store, tablet: &mut Tablet) -> (Recorded, SealPayload) {
    let check = check(PIPE);
    let (finding, record) = finding(check, "door-seal", "封条破损");
    let (photo, add) = photo(entity::FINDING, finding.0, b"seal");
    let ids = tablet.record(store, [answers(check, "door-seal", Outcome::Fail, None), record, add]).await;
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    let of = view.checks.iter().find(|it| it.id == check).unwrap();
    let payload = SealPayload {
        sign_off: SignOffId(tablet.world.uuid()),
        site: demo::site(),
        round: round(),
        unit: unit(1),
        name: "一期代表".into(),
        objection: None,
        strokes: vec![vec![Point(1, 2, 0), Point(3, 4, 16), Point(5, 6, 32)]],
        at: MORNING,
        device: tablet.device.id,
        inspector: tablet.device.person,
        checks: vec![SealedCheck {
            settled: BTreeMap::new(),
            photos: vec![],
            id: check,
            asset: of.asset.id,
            checklist: of.checklist.as_ref().unwrap().reference(),
            answers: of.answers.clone(),
            revs: BTreeMap::from([(format!("{ANSWER}door-seal"), ids[0])]),
            amendments: vec![],
        }],
        findings: vec![SealedFinding {
            photos: vec![],
            id: finding,
            check,
            item: "door-seal".into(),
            severity: view.findings[0].severity,
            words: "封条破损".into(),
            revs: ["severity", "words"].map(|field| (field.to_owned(), ids[1])).into(),
        }],
        evidence: vec![photo],
    };
    (Recorded { answer: ids[0], finding, photo }, payload)
}

pub(super) fn unit(phase: u8) -> UnitId {
    UnitId(demo::id("unit", &format!("owners-{phase}")))
}

pub(super) fn sealed(tablet: &Tablet, payload: &SealPayload) -> Draft {
    let jws = seal(payload, tablet.device.id, &tablet.key).unwrap();
    draft(payload, value(jws))
}

fn draft(payload: &SealPayload, value: serde_json::Value) -> Draft {
    let id = payload.sign_off.0;
    Draft { entity: entity::SIGN_OFF, id, kind: Kind::Seal, field: None, value, base_rev: None }
}

async fn view(store: &dyn Store) -> OfficeRound {
    store.round(round(), day(MORNING)).await.unwrap().unwrap()
}

pub async fn a_seal_is_countersigned_and_verifies(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (recorded, first) = recorded(store, &mut tablet).await;
    world.wait(60_000);
    let objects = SealPayload {
        sign_off: SignOffId(world.uuid()),
        unit: unit(3),
        objection: Some("三楼未查".into()),
        ..first.clone()
    };
    let drafts = [sealed(&tablet, &first), sealed(&tablet, &objects)];
    tablet.record(store, drafts).await;

    let view = view(store).await;
    assert_eq!((view.line.signed, view.line.to_sign), (2, 3));
    let signed = |at: usize| view.sign_offs[at].signed.as_ref();
    assert_eq!(signed(0).unwrap().photos_on_their_way, 1);
    assert!(signed(1).is_none());
    assert_eq!(signed(2).unwrap().objection.as_deref(), Some("三楼未查"));
    for report in &view.seals {
        assert!(report.genuine && report.unchanged, "{report:?}");
        assert_eq!((report.countersigned, report.photos), (Some(world.now()), 1));
    }
    assert!(view.checks.iter().find(|it| it.id == check(PIPE)).unwrap().sealed);
    assert!(!view.checks[0].sealed, "what the seal does not cover");
    assert_eq!(view.findings[0].photos[0].evidence.sha256, recorded.photo);

    // Anyone can verify the exported file, and see when the hub received it.
    let jws = store.seal(first.sign_off).await.unwrap().unwrap();
    let verified = jws.verify(Some(&tablet.device.key)).unwrap();
    assert_eq!(verified.payload, first);
    let hub = verified.hub.unwrap();
    assert_eq!((hub.kid, hub.received), (store.identity().device, Some(world.now())));
    assert!(hub.seq.is_some());
    // It comes to the tablets with the log.
    let ours = ops(store).await.into_iter().filter(|op| op.field.as_deref() == Some(COUNTERSIGNED));
    let ours: Vec<_> = ours.filter(|op| op.id == first.sign_off.0).map(|op| (op.device, op.value)).collect();
    assert_eq!(ours, [(store.identity().device, value(&jws.signatures[1]))]);
    assert_eq!(store.seal(SignOffId(world.uuid())).await.unwrap(), None);
}

/// A check of the garden's round and a finding of the garden's check, as they say, and a round as the garden's: all of another
/// site.
async fn of_another_site(store: &dyn Store, world: &Arc<StillWorld>) -> (CheckId, FindingId, RoundId) {
    let world = Arc::clone(world);
    let ids = (CheckId(world.uuid()), FindingId(world.uuid()), RoundId(world.uuid()));
    let hand = Hand { scope: SiteId(world.uuid()), actor: demo::person("office"), now: world.now() };
    let record = move |ledger: &mut dyn Ledger| {
        let copied = ledger.check(check(PIPE).0)?.unwrap();
        let round = ledger.rounds(Some(round()))?.pop().unwrap().round;
        let (_, finding) = finding(check(PIPE), "door-seal", "封条破损");
        let drafts = [
            Draft::record(entity::CHECK, ids.0.0, fields(&copied)),
            Draft { id: ids.1.0, ..finding },
            Draft::record(entity::ROUND, ids.2.0, fields(&round)),
        ];
        write(ledger, &*world, hand, drafts)
    };
    store.transact(record).await.unwrap();
    ids
}

pub async fn a_broken_seal_is_set_aside(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (_, payload) = recorded(store, &mut tablet).await;
    let other = Tablet::enrol(store, &world, "inspector").await;
    let by_other = seal(&payload, tablet.device.id, &other.key).unwrap();
    let mut changed = seal(&payload, tablet.device.id, &tablet.key).unwrap();
    changed.payload = by_other.payload.replace('A', "B");
    let nobody = SealPayload { device: DeviceId(world.uuid()), ..payload.clone() };
    let by_nobody = seal(&nobody, nobody.device, &tablet.key).unwrap();
    let honest = seal(&payload, tablet.device.id, &tablet.key).unwrap();
    let renamed = Draft { id: world.uuid(), ..draft(&payload, value(&honest)) };
    let elsewhere = SealPayload { site: SiteId(world.uuid()), ..payload.clone() };
    let somebody = SealPayload { inspector: demo::person("office"), ..payload.clone() };
    let mut person = payload.clone();
    person.findings[0].id = FindingId(demo::person("inspector").0);
    let mut issue = payload.clone();
    issue.checks[0].id = CheckId(issue_id(payload.findings[0].id).0);
    let other_round = SealPayload { round: RoundId(world.uuid()), ..payload.clone() };
    let (their_check, their_finding, their_round) = of_another_site(store, &world).await;
    let mut next_door = payload.clone();
    next_door.checks[0].id = their_check;
    next_door.findings.clear();
    let mut next_doors_finding = payload.clone();
    next_doors_finding.findings[0].id = their_finding;
    let mut next_doors_round = SealPayload { round: their_round, ..payload.clone() };
    next_doors_round.checks[0].id = CheckId(world.uuid());
    next_doors_round.findings.clear();
    for (what, broken) in [
        ("over another site's check", sealed(&tablet, &next_door)),
        ("over another site's finding", sealed(&tablet, &next_doors_finding)),
        ("of another site's round", sealed(&tablet, &next_doors_round)),
        ("over a person", sealed(&tablet, &person)),
        ("over an issue", sealed(&tablet, &issue)),
        ("over another round's check", sealed(&tablet, &other_round)),
        ("by another key", draft(&payload, value(&by_other))),
        ("by a tablet that nobody knows", draft(&nobody, value(&by_nobody))),
        ("changed", draft(&payload, value(&changed))),
        ("no seal at all", draft(&payload, json!({"payload": 1}))),
        ("of another signature", renamed),
        ("of another site", sealed(&tablet, &elsewhere)),
        ("of another inspector", sealed(&tablet, &somebody)),
    ] {
        assert_eq!(tablet.refused(store, [broken]).await, "broken-seal", "{what}");
    }
    for (code, bad) in [
        ("no-name", SealPayload { name: " ".into(), ..payload.clone() }),
        ("no-strokes", SealPayload { strokes: vec![vec![]], ..payload.clone() }),
        ("not-asked", SealPayload { unit: UnitId(demo::id("unit", "property")), ..payload.clone() }),
        ("broken-seal", SealPayload { checks: vec![], findings: vec![], ..payload.clone() }),
    ] {
        let bad = sealed(&tablet, &SealPayload { sign_off: SignOffId(world.uuid()), ..bad });
        assert_eq!(tablet.refused(store, [bad]).await, code);
    }
    // A round that a restored hub has lost may still be one: a signature is not given twice.
    let mut lost = SealPayload { round: RoundId(world.uuid()), ..payload.clone() };
    lost.sign_off = SignOffId(world.uuid());
    lost.checks[0].id = CheckId(world.uuid());
    lost.findings.clear();
    tablet.record(store, [sealed(&tablet, &lost)]).await;
    assert_eq!(view(store).await.line.signed, 0);
    let good = sealed(&tablet, &payload);
    tablet.record(store, [good.clone()]).await;
    assert_eq!(tablet.refused(store, [good]).await, "broken-seal", "a signature is given once");
    assert_eq!(view(store).await.line.signed, 1);
}

pub async fn what_was_signed_takes_amendments_only(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (recorded, payload) = recorded(store, &mut tablet).await;
    let mut colleague = Tablet::enrol(store, &world, "inspector").await;
    let (check, base) = (check(PIPE), Some(recorded.answer));
    // What a colleague changed meanwhile, without knowing of the signature.
    let late = answers(check, "door-seal", Outcome::Pass, base);
    let words = Draft::set(entity::FINDING, recorded.finding.0, "words", json!("没事"), None);
    let whole = finding(check, "door-seal", "没事").1;
    let (_, photo) = photo(entity::FINDING, recorded.finding.0, b"another");
    let drafts = [sealed(&tablet, &payload)];
    tablet.record(store, drafts).await;
    for change in [late, words, whole] {
        assert_eq!(colleague.refused(store, [change]).await, "sealed");
    }
    let saw = Draft {
        kind: Kind::Remove,
        ..Draft::set(entity::FINDING, recorded.finding.0, "photos", json!({"saw": []}), None)
    };
    assert_eq!(colleague.refused(store, [saw]).await, "sealed");
    let seal = tablet.written.last().unwrap().op.clone();
    let written: Vec<_> = tablet.written.iter().map(|it| it.op.op_id).collect();
    let delete = |entity, id| Draft::delete(entity, id, written.clone());
    assert_eq!(colleague.refused(store, [delete(entity::SIGN_OFF, seal.id)]).await, "sealed");
    let finding = delete(entity::FINDING, recorded.finding.0);
    assert_eq!(colleague.refused(store, [finding]).await, "sealed");
    colleague.record(store, [photo]).await;
    // What was not answered when it was signed is no part of it.
    colleague.record(store, [answers(check, "access-clear", Outcome::Pass, None)]).await;

    let amend = |reason: &str| Draft {
        kind: Kind::Amend,
        value: json!({"value": {"outcome": "pass", "at": 5}, "reason": reason}),
        ..answers(check, "door-seal", Outcome::Pass, base)
    };
    assert_eq!(colleague.refused(store, [amend(" ")]).await, "no-reason");
    tablet.record(store, [amend("看错了")]).await;
    let view = view(store).await;
    let amended = view.checks.iter().find(|it| it.id == check).unwrap();
    assert_eq!(amended.answers["door-seal"].outcome, Outcome::Fail, "what was signed is shown");
    let [amendment] = amended.amendments.as_slice() else { panic!("one amendment, beside what was signed") };
    assert_eq!(
        (amendment.reason.as_str(), amendment.by.as_str(), amendment.signed),
        ("看错了", "检查员甲", false)
    );
    assert_eq!((amendment.item.as_str(), amendment.answer.outcome), ("door-seal", Outcome::Pass));
    assert_eq!(view.findings[0].photos.len(), 2);
    // Whoever signed has not signed the amendment, here as in the list.
    let listed = store.rounds(day(MORNING)).await.unwrap();
    let listed = listed.iter().find(|line| line.id == round()).unwrap();
    assert_eq!((view.line.signed, listed.signed, view.sign_offs[0].unsigned_amendments), (0, 0, 1));
}

pub async fn whoever_signs_later_signs_the_same(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (_, first) = recorded(store, &mut tablet).await;
    let drafts = [sealed(&tablet, &first)];
    tablet.record(store, drafts).await;
    let mut other = SealPayload { sign_off: SignOffId(world.uuid()), unit: unit(3), ..first.clone() };
    let field = other.checks[0].revs.keys().next().unwrap().clone();
    other.checks[0].revs.insert(field, world.uuid());
    let draft = sealed(&tablet, &other);
    assert_eq!(tablet.refused(store, [draft]).await, "signed-otherwise");
    assert_eq!(view(store).await.line.signed, 1);
}

pub async fn what_was_signed_comes_in_behind_its_seal(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (recorded, mut payload) = recorded(store, &mut tablet).await;
    give_roles(store, &world, "inspector", json!(["reader"])).await;
    let corrected = answers(check(PIPE), "door-seal", Outcome::Pass, Some(recorded.answer));
    let signed = tablet.write([corrected])[0];
    assert_eq!(tablet.push(store).await[0].code, "not-allowed");
    give_roles(store, &world, "inspector", json!(["inspector"])).await;
    payload.checks[0].revs = BTreeMap::from([(format!("{ANSWER}door-seal"), signed)]);
    let seal = sealed(&tablet, &payload);
    tablet.record(store, [seal]).await;

    let left = judge_again(store, world.clone(), tablet.device.id, None).await.unwrap().left;
    assert_eq!(left, [], "the very operation that was signed is no change of it");
    let view = view(store).await;
    let shown = &view.checks.iter().find(|it| it.id == check(PIPE)).unwrap().answers["door-seal"];
    assert_eq!(shown.outcome, Outcome::Pass);
}

pub async fn a_photo_that_was_signed_stays(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let (recorded, payload) = recorded(store, &mut tablet).await;
    let photo = |op: &&Op| op.id == recorded.finding.0 && op.kind == Kind::Add;
    let rev = ops(store).await.iter().find(photo).unwrap().op_id;
    // A colleague takes it off before the seal arrives that another tablet had made.
    let off = Draft::set(entity::FINDING, recorded.finding.0, "photos", json!({ "saw": [rev] }), None);
    tablet.record(store, [Draft { kind: Kind::Remove, ..off }]).await;
    assert_eq!(view(store).await.findings[0].photos.len(), 0);
    let mut payload = payload;
    payload.findings[0].photos = vec![rev];
    let draft = sealed(&tablet, &payload);
    tablet.record(store, [draft]).await;
    assert_eq!(view(store).await.findings[0].photos[0].evidence.sha256, recorded.photo);
    store.rebuild().await.unwrap();
    assert_eq!(view(store).await.findings[0].photos[0].evidence.sha256, recorded.photo);
}

pub async fn what_was_signed_stays_though_it_was_deleted_before(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let (recorded, payload) = recorded(store, &mut tablet).await;
    delete_all(store, &mut tablet, &recorded).await;
    let shown = async || {
        let view = view(store).await;
        let check = view.checks.iter().find(|it| it.id == check(PIPE)).map(|it| it.answers.clone());
        let seals = view.seals.iter().map(|seal| seal.unchanged).collect::<Vec<_>>();
        (check, view.findings.len(), seals)
    };
    assert_eq!(shown().await, (None, 0, vec![]));

    let seal = sealed(&tablet, &payload);
    tablet.record(store, [seal]).await;
    let signed = (Some(payload.checks[0].answers.clone()), 1, vec![true]);
    assert_eq!(shown().await, signed);
    store.rebuild().await.unwrap();
    assert_eq!(shown().await, signed);
}

/// Deletes a record, having seen what of it is in `ops`.
pub(super) fn gone(entity: &'static str, id: Uuid, ops: &[Op]) -> Draft {
    Draft::delete(entity, id, ops.iter().filter(|op| op.id == id).map(|op| op.op_id))
}

/// Somebody who plans deletes the check, and an inspector the finding, having seen everything; the office removes its issue.
async fn delete_all(store: &dyn Store, tablet: &mut Tablet, recorded: &Recorded) {
    let mut office = Tablet::enrol(store, &tablet.world, "office").await;
    let all = ops(store).await;
    office.record(store, [gone(entity::CHECK, check(PIPE).0, &all)]).await;
    tablet.record(store, [gone(entity::FINDING, recorded.finding.0, &all)]).await;
    remove_issue(store, &tablet.world, recorded.finding).await;
}

pub async fn a_round_that_was_signed_stays(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (recorded, payload) = recorded(store, &mut tablet).await;
    let mut office = Tablet::enrol(store, &world, "office").await;
    let all = ops(store).await;
    let delete = gone(entity::ROUND, round().0, &all);
    let checks = view(store).await.checks.into_iter().map(|it| gone(entity::CHECK, it.id.0, &all));
    office.record(store, checks.chain([delete.clone()])).await;
    remove_issue(store, &world, recorded.finding).await;
    tablet.record(store, [gone(entity::FINDING, recorded.finding.0, &all)]).await;
    assert!(store.round(round(), day(MORNING)).await.unwrap().is_none());
    let stranger = SealPayload {
        sign_off: SignOffId(world.uuid()),
        unit: UnitId(demo::id("unit", "property")),
        ..payload.clone()
    };
    let stranger = sealed(&tablet, &stranger);
    assert_eq!(tablet.refused(store, [stranger]).await, "not-asked", "of a deleted round, too");

    let seal = sealed(&tablet, &payload);
    tablet.record(store, [seal]).await;
    assert_eq!(view(store).await.line.signed, 1, "what was signed is shown, whoever deleted its round");
    assert_eq!(office.refused(store, [delete]).await, "sealed");
    store.rebuild().await.unwrap();
    assert_eq!(view(store).await.line.signed, 1);
}

pub async fn no_seal_of_another_round_brings_back_what_was_deleted(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (recorded, payload) = recorded(store, &mut tablet).await;
    delete_all(store, &mut tablet, &recorded).await;
    // A round of which this hub knows nothing: it may have lost it.
    let other = SealPayload { round: RoundId(world.uuid()), findings: vec![], ..payload.clone() };
    let mut others_finding = SealPayload { round: other.round, ..payload.clone() };
    others_finding.checks[0].id = CheckId(world.uuid());
    for (what, payload) in [("the check", other), ("the finding", others_finding)] {
        let seal = sealed(&tablet, &SealPayload { sign_off: SignOffId(world.uuid()), ..payload });
        assert_eq!(tablet.refused(store, [seal]).await, "broken-seal", "{what}");
    }
    assert!(view(store).await.checks.iter().all(|it| it.id != check(PIPE)));
}

pub async fn a_seal_of_a_tablet_that_a_restored_hub_has_forgotten_is_taken(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (_, payload) = recorded(store, &mut tablet).await;
    let forgotten = DeviceId(world.uuid());
    let key = ed25519_dalek::SigningKey::from_bytes(&[41; 32]);
    let before = SealPayload { device: forgotten, ..payload.clone() };
    let colleague = Tablet::enrol(store, &world, "inspector").await;
    // It passes for none that is known: not by a key, a withdrawn one among them, and not by a name.
    store.revoke(colleague.device.id).await.unwrap();
    let by = |payload: &SealPayload, key| draft(payload, value(seal(payload, payload.device, key).unwrap()));
    let hub = SealPayload { device: store.identity().device, ..payload.clone() };
    for (what, broken) in [
        ("by a withdrawn tablet's key", by(&before, &colleague.key)),
        ("in the name of another", by(&SealPayload { device: colleague.device.id, ..payload.clone() }, &key)),
        ("in the name of the hub", by(&hub, &key)),
        ("of another person", by(&SealPayload { inspector: demo::person("office"), ..before.clone() }, &key)),
    ] {
        assert_eq!(tablet.refused(store, [broken]).await, "broken-seal", "{what}");
    }

    tablet.record(store, [by(&before, &key)]).await;
    let found = async || {
        let [report] = &view(store).await.seals[..] else { panic!("one seal") };
        assert_eq!(report.countersigned, Some(world.now()));
        (report.genuine, report.known, report.unchanged)
    };
    assert_eq!(found().await, (true, false, true));
    store.rebuild().await.unwrap();
    assert_eq!(found().await, (true, false, true));
    let other = SealPayload { sign_off: SignOffId(world.uuid()), unit: unit(3), ..payload };
    let known = sealed(&tablet, &other);
    tablet.record(store, [known]).await;
    let known: Vec<bool> = view(store).await.seals.iter().map(|seal| seal.known).collect();
    assert_eq!(known, [false, true]);
}
