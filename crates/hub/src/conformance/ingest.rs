//! What happens to what a tablet pushes.

use super::kit::{MORNING, Tablet, answers, check, finding, garden, give_roles, log, ops, photo, round};
use crate::demo;
use crate::ingest::{JudgedAgain, Pushed, judge_again};
use crate::store::Store;
use crate::world::{World, day};
use serde_json::json;
use standpipe_domain::answer::Outcome;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{DeviceId, Millis, PersonId, Sha256, SiteId};
use standpipe_domain::office::{AsidePlace, IssueFilter, QuarantineList, Quarantined, SeeTo};
use standpipe_domain::record::entity;
use standpipe_domain::sync::Seen;
use standpipe_oplog::clock::{Hlc, MAX_AHEAD};
use standpipe_oplog::op::Kind;
use standpipe_oplog::pen::Draft;
use standpipe_oplog::wire::{MAX_BODY, PushConflict};
use uuid::Uuid;

pub(super) const ROOM: &str = "P1-KZ";

pub(super) fn pass(item: &str) -> Draft {
    answers(check(ROOM), item, Outcome::Pass, None)
}

/// The outcomes on the first check of the round, by item.
pub(super) async fn shown(store: &dyn Store) -> Vec<(String, Outcome)> {
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    view.checks[0].answers.iter().map(|(item, answer)| (item.clone(), answer.outcome)).collect()
}

pub async fn what_is_pushed_is_shown_and_handed_on(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let before = log(store).await.next;
    let ids = tablet.write([pass("panel-clear"), pass("log-filled")]);
    world.wait(90_000);
    let answer = tablet.answer(store).await;
    assert_eq!((answer.acknowledged, answer.durable_seq, answer.quarantined), (2, 0, vec![]));
    assert_eq!(
        shown(store).await,
        [("log-filled".into(), Outcome::Pass), ("panel-clear".into(), Outcome::Pass)]
    );
    let page = store.page(demo::site(), before, 10, MAX_BODY).await.unwrap();
    assert_eq!(page.ops.iter().map(|op| op.at).collect::<Vec<_>>(), [world.now(); 2]);
    let bodies: Vec<_> = tablet.written.iter().map(|written| &written.body).collect();
    assert_eq!(page.ops.iter().map(|op| &op.body).collect::<Vec<_>>(), bodies, "byte for byte");
    let held = store.held(tablet.device.id, 1).await.unwrap();
    assert_eq!((held.last_seq, held.last_hash), (2, tablet.pen.last_hash));
    assert_eq!(ops(store).await.last().unwrap().op_id, ids[1]);
}

pub async fn a_push_that_comes_twice_is_acknowledged_again(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    tablet.write([pass("panel-clear")]);
    let refused =
        tablet.write([Draft::set(entity::PERSON, demo::person("inspector").0, "name", json!("x"), None)]);
    let first = tablet.push_part(store, 0, 2).await;
    let before = log(store).await;
    assert_eq!(tablet.push_part(store, 0, 2).await, first, "the answer was lost; the tablet hears it again");
    assert_eq!(log(store).await, before);
    assert_eq!(store.set_aside().await.unwrap().listed.len(), 1);
    let Pushed::Taken(answer) = first else { panic!("{first:?}") };
    assert_eq!(answer.quarantined.len(), 1);
    assert_eq!(answer.quarantined[0].op_id, refused[0]);

    tablet.write([pass("log-filled")]);
    let Pushed::Taken(answer) = tablet.push_part(store, 0, 3).await else { panic!("refused") };
    assert_eq!(answer.acknowledged, 3, "what is new behind what is known is taken");
    assert_eq!(log(store).await.next, before.next + 1);
}

pub async fn a_gap_is_told_and_nothing_kept(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    tablet.write([pass("panel-clear"), pass("log-filled")]);
    let before = log(store).await;
    let pushed = tablet.push_part(store, 1, 2).await;
    assert_eq!(pushed, Pushed::Conflict(PushConflict::Expected { expected: 1 }));
    assert_eq!(log(store).await, before);
    assert_eq!(store.held(tablet.device.id, 1).await.unwrap().last_seq, 0);
}

pub async fn a_cloned_tablet_goes_on_without_loss_or_doubles(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    tablet.write([pass("panel-clear")]);
    // The copy was made before anything was acknowledged, and both went on.
    let mut copy = Tablet {
        device: tablet.device.clone(),
        key: tablet.key.clone(),
        pen: tablet.pen.clone(),
        world: tablet.world.clone(),
        written: tablet.written.clone(),
        acknowledged: 0,
    };
    tablet.record(store, [pass("log-filled")]).await;
    let by_copy = copy.write([pass("files-kept")]);
    let pushed = copy.push_part(store, 0, 2).await;
    let Pushed::Conflict(conflict) = pushed else { panic!("{pushed:?}") };
    assert_eq!(conflict, PushConflict::Forked { incarnation: 2 });

    copy.renumber(&conflict);
    let before = log(store).await.next;
    assert_eq!(copy.push(store).await, [], "what both have is no fault");
    let new = ops(store).await.split_off(usize::try_from(before).unwrap());
    assert_eq!(new.iter().map(|op| op.op_id).collect::<Vec<_>>(), by_copy, "and stands in the log once");
    assert_eq!(shown(store).await.len(), 3);
    tablet.record(store, [pass("rules-on-wall")]).await;
}

pub async fn each_fault_is_set_aside_under_its_code_and_the_rest_goes_on(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    tablet.record(store, [pass("panel-clear")]).await;
    let known = tablet.written[0].op.op_id;
    let one = |item: &str, value| Draft::set(entity::CHECK, check(ROOM).0, item, value, None);
    let (orphan, stray) = finding(check(ROOM), "log-filled", "字");
    let moved = Draft { id: Uuid::from_u128(5), ..stray.clone() };
    let photo_of_nothing = Draft::add(entity::CHECK, check(ROOM).0, "photos", json!({"sha256": "../etc"}));
    let endless = Evidence {
        sha256: Sha256([7; 32]),
        media_type: "image/jpeg".into(),
        bytes: 1 << 60,
        name: "a.jpg".into(),
        item: None,
        at: MORNING,
    };
    let endless_photo = Draft::add(entity::CHECK, check(ROOM).0, "photos", json!(endless));
    let by = |draft: Draft, bend: fn(&mut standpipe_oplog::op::Op)| (draft, bend);
    let honest: fn(&mut standpipe_oplog::op::Op) = |_| ();
    let cases = [
        ("foreign-device", by(pass("log-filled"), |op| op.device = DeviceId(Uuid::nil()))),
        ("foreign-actor", by(pass("log-filled"), |op| op.actor = PersonId(Uuid::nil()))),
        ("other-scope", by(pass("log-filled"), |op| op.scope = SiteId(Uuid::nil()))),
        ("out-of-order", by(pass("log-filled"), |op| op.dev_seq += 1)),
        ("out-of-order", by(pass("log-filled"), |op| op.incarnation += 1)),
        ("too-large", by(one("note", json!("字".repeat(1_400_000))), honest)),
        ("too-large", by(endless_photo, honest)),
        ("malformed", by(one("note", (0..100).fold(json!(1), |value, _| json!([value]))), honest)),
        (
            "not-allowed",
            by(
                Draft::set(
                    entity::PERSON,
                    demo::person("inspector").0,
                    "roles",
                    json!(["administrator"]),
                    None,
                ),
                honest,
            ),
        ),
        ("not-allowed", by(one("order", json!(0)), honest)),
        ("not-allowed", by(Draft::record(entity::ISSUE, Uuid::from_u128(6), serde_json::Map::new()), honest)),
        ("not-allowed", by(Draft::set(entity::FINDING, orphan.0, "check", json!(check(ROOM)), None), honest)),
        (
            "other-entity",
            by(Draft { id: demo::person("inspector").0, ..one("roles", json!(["administrator"])) }, honest),
        ),
        ("malformed", by(one("answer:log-filled", json!("yes")), honest)),
        ("malformed", by(moved, honest)),
        ("malformed", by(photo_of_nothing, honest)),
        ("malformed", by(Draft { value: json!([]), ..stray }, honest)),
        ("malformed", by(Draft { kind: Kind::Amend, ..one("answer:log-filled", json!({})) }, honest)),
        ("unknown-item", by(pass("no-such-item"), honest)),
        ("wrong-kind", by(pass("people-on-shift"), honest)),
        (
            "outside-limit",
            by(
                one(
                    "answer:people-on-shift",
                    json!({"outcome": "pass", "at": 0, "reading": {"value": 1.0, "unit": "persons"}}),
                ),
                honest,
            ),
        ),
        (
            "too-long",
            by(
                one("answer:log-filled", json!({"outcome": "pass", "at": 0, "note": "x".repeat(4_001)})),
                honest,
            ),
        ),
        (
            "broken-seal",
            by(
                Draft {
                    kind: Kind::Seal,
                    field: None,
                    entity: entity::SIGN_OFF,
                    id: Uuid::from_u128(6),
                    ..one("x", json!({}))
                },
                honest,
            ),
        ),
    ];
    let before = log(store).await.next;
    let mut codes = Vec::new();
    for (code, (draft, bend)) in cases {
        let id = tablet.forge(draft, world.uuid(), bend);
        let refused = tablet.push(store).await;
        assert_eq!(refused.iter().map(|it| (it.op_id, it.code.as_str())).collect::<Vec<_>>(), [(id, code)]);
        assert!(!refused[0].detail.is_empty());
        codes.push(code.to_owned());
    }
    let taken = tablet.forge(pass("log-filled"), world.uuid(), |op| op.op_id = known);
    assert_eq!(tablet.push(store).await[0].code, "op-id-taken");
    assert_eq!(taken, known);
    codes.push("op-id-taken".into());
    tablet.scribble(r#"{"op_id":"0189aaaa-0000-7000-8000-000000000000","entity":"of-tomorrow"}"#);
    let refused = tablet.push(store).await;
    assert_eq!((refused[0].code.as_str(), refused[0].op_id.is_nil()), ("malformed", false));
    tablet.scribble("no json at all");
    assert_eq!(tablet.push(store).await[0].code, "malformed");
    codes.extend(["malformed".into(), "malformed".into()]);

    assert_eq!(log(store).await.next, before, "none of it is in the log");
    let kept: Vec<_> = store.set_aside().await.unwrap().listed.into_iter().rev().map(|it| it.code).collect();
    assert_eq!(kept, codes, "all of it is kept, and shown");
    assert_eq!(store.set_aside().await.unwrap().listed[0].device_name, "inspector's tablet");
    tablet.record(store, [pass("log-filled")]).await;
}

pub async fn one_bad_operation_takes_its_transaction_along(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let before = log(store).await.next;
    let first = tablet.write([pass("panel-clear"), pass("no-such-item"), pass("log-filled")]);
    let behind = tablet.write([pass("files-kept")]);
    let refused = tablet.push(store).await;
    assert_eq!(refused.iter().map(|it| it.op_id).collect::<Vec<_>>(), first);
    assert!(refused.iter().all(|it| it.code == "unknown-item"));
    assert!(refused[0].detail.contains("operation 2"), "{}", refused[0].detail);
    assert_eq!(ops(store).await.split_off(usize::try_from(before).unwrap())[0].op_id, behind[0]);

    // The rest of a transaction whose beginning was set aside comes with the next push.
    let tx = world.uuid();
    tablet.forge(pass("nor-this-one"), tx, |_| ());
    assert_eq!(tablet.push(store).await.len(), 1);
    tablet.forge(pass("rules-on-wall"), tx, |_| ());
    assert_eq!(tablet.push(store).await[0].code, "unknown-item");
    assert_eq!(shown(store).await.len(), 1);
}

pub async fn the_record_of_the_site_is_written_by_the_hub_alone(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    give_roles(store, &world, "inspector", json!(["inspector", "supervisor", "administrator"])).await;
    let name =
        Draft::set(entity::SITE, demo::site().0, "name", json!({"zh-CN": "花园", "en": "Garden"}), None);
    assert_eq!(tablet.refused(store, [name]).await, "not-allowed");
}

pub async fn each_transaction_of_a_push_is_judged_by_what_those_before_left(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    give_roles(store, &world, "inspector", json!(["inspector", "administrator"])).await;
    let saw: Vec<Uuid> =
        ops(store).await.iter().filter(|op| op.id == check(ROOM).0).map(|op| op.op_id).collect();
    let first = tablet.write([pass("panel-clear")]);
    let saw = [saw, first].concat();
    let value = json!({ "saw": saw });
    let delete = Draft::set(entity::CHECK, check(ROOM).0, "", value, None);
    tablet.write([Draft { kind: Kind::Delete, field: None, ..delete }]);
    // While the check is gone nothing is known of its checklist; whoever answers brings it back.
    tablet.write([pass("of-no-check")]);
    let wrong = tablet.write([pass("of-no-item")]);
    tablet.write([pass("log-filled")]);
    let (id, issue) = finding(check(ROOM), "log-filled", "日志缺页");
    tablet.write([issue, answers(check(ROOM), "log-filled", Outcome::Fail, None)]);
    let me = tablet.device.person.0;
    let mine = store.transact(move |ledger| ledger.register(me, "roles")).await.unwrap();
    let roles = json!(["administrator"]);
    tablet.write([Draft::set(entity::PERSON, me, "roles", roles, mine.shown().map(|side| side.rev))]);
    let late = tablet.write([pass("files-kept")]);
    let refused = tablet.push(store).await;
    let expected = [(wrong[0], "unknown-item"), (late[0], "not-allowed")];
    assert_eq!(refused.iter().map(|it| (it.op_id, it.code.as_str())).collect::<Vec<_>>(), expected);
    let finding = store.transact(move |ledger| ledger.finding(id)).await.unwrap();
    assert_eq!(finding.map(|finding| finding.item), Some("log-filled".into()));
}

pub async fn what_a_revoked_tablet_recorded_is_kept_aside(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    tablet.record(store, [pass("panel-clear")]).await;
    let (_, photo) = photo(entity::CHECK, check(ROOM).0, b"photo");
    tablet.write([pass("log-filled"), photo]);
    store.revoke(tablet.device.id).await.unwrap();
    tablet.device.revoked = true;
    let refused = tablet.push(store).await;
    assert_eq!(refused.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["revoked", "revoked"]);
    assert_eq!(shown(store).await.len(), 1);
    let aside = store.set_aside().await.unwrap().listed;
    assert_eq!(aside[1].field.as_deref(), Some("answer:log-filled"));
}

pub async fn what_was_set_aside_is_judged_again_when_somebody_asks(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let device = tablet.device.id;
    let again = async |only| judge_again(store, world.clone(), device, only).await.unwrap();

    give_roles(store, &world, "inspector", json!(["reader"])).await;
    let (_, rust) = finding(check(ROOM), "panel-clear", "rust");
    let fails = answers(check(ROOM), "panel-clear", Outcome::Fail, None);
    let one = tablet.write([fails, rust]);
    let other = tablet.write([pass("log-filled"), pass("no-such-item")]);
    let refused = tablet.push(store).await;
    assert_eq!(refused.iter().filter(|it| it.code == "not-allowed").count(), 4);
    world.wait(60_000);
    let judged = again(None).await;
    assert_eq!((judged.taken, judged.left.len()), (0, 4), "the person may do no more than before");
    let aside = store.set_aside().await.unwrap().listed;
    assert!(aside.iter().all(|row| row.at == MORNING), "that is when it arrived");
    assert_eq!(store.set_aside().await.unwrap().listed.len(), 4);

    give_roles(store, &world, "inspector", json!(["inspector"])).await;
    let judged = again(Some(vec![one[0]])).await;
    assert_eq!((judged.taken, judged.left), (2, vec![]), "with it goes its transaction");
    assert_eq!(shown(store).await, [("panel-clear".to_owned(), Outcome::Fail)]);
    assert_eq!(
        store.issues(&IssueFilter::default(), day(MORNING)).await.unwrap().len(),
        1,
        "an issue follows"
    );
    let JudgedAgain { taken, left } = again(None).await;
    assert_eq!(taken, 0);
    assert_eq!(left.iter().map(|it| it.op_id).collect::<Vec<_>>(), other);
    assert!(left.iter().all(|it| it.code == "unknown-item"), "the reason of today");
    assert_eq!(store.set_aside().await.unwrap().listed.len(), 2);
}

pub async fn what_somebody_has_seen_to_is_kept_and_listed_apart(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    give_roles(store, &world, "inspector", json!(["reader"])).await;
    tablet.write([pass("panel-clear")]);
    tablet.write([pass("log-filled")]);
    assert_eq!(tablet.push(store).await.len(), 2);
    let both = store.set_aside().await.unwrap();
    assert_eq!((both.total, both.seen_to, both.listed.len()), (2, 0, 2));
    let place = |listed: &Quarantined| AsidePlace {
        device: listed.device,
        incarnation: listed.incarnation,
        dev_seq: listed.dev_seq,
    };
    let one = place(&both.listed[1]);
    let nowhere = AsidePlace { dev_seq: 99, ..one };
    world.wait(1_000);
    let now = world.now();
    let say = async |seen| {
        let what = SeeTo { places: vec![nowhere, one], seen };
        store.see_to(what, demo::person("office"), "主任\0", now).await.unwrap();
        (store.set_aside().await.unwrap(), store.seen_to().await.unwrap())
    };
    let (open, seen) = say(true).await;
    assert_eq!((open.total, open.seen_to, seen.total, seen.seen_to), (1, 1, 1, 1));
    assert_eq!(open.listed, [both.listed[0].clone()]);
    let by = Some(Seen { by: "主任\0".into(), at: now });
    assert_eq!(seen.listed, [Quarantined { seen: by, ..both.listed[1].clone() }], "it is kept as it was");
    assert_eq!(say(false).await, (both.clone(), QuarantineList { listed: vec![], ..both.clone() }));

    // Judged again without success, it stays seen to; once it fits it is taken over as ever.
    say(true).await;
    let again = async || judge_again(store, world.clone(), tablet.device.id, None).await.unwrap();
    assert_eq!((again().await.taken, store.set_aside().await.unwrap().seen_to), (0, 1));
    give_roles(store, &world, "inspector", json!(["inspector"])).await;
    assert_eq!((again().await.taken, shown(store).await.len()), (2, 2));
    assert_eq!(store.seen_to().await.unwrap(), QuarantineList::default());
}

pub async fn what_another_of_a_tablets_lives_brought_is_judged_for_itself(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    give_roles(store, &world, "inspector", json!(["reader"])).await;
    tablet.write([pass("panel-clear"), pass("log-filled")]);
    assert_eq!(tablet.push(store).await.len(), 2);
    // The tablet is put back to before that, and meanwhile the person is given the role again.
    give_roles(store, &world, "inspector", json!(["inspector"])).await;
    tablet.acknowledged = 0;
    tablet.renumber(&PushConflict::Forked { incarnation: 2 });
    assert_eq!(tablet.push(store).await, []);
    assert_eq!(shown(store).await.len(), 2);
    assert_eq!(store.set_aside().await.unwrap().listed, [], "nothing of it stays behind");
}

pub async fn only_the_same_work_leaves_the_quarantine(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    give_roles(store, &world, "inspector", json!(["reader"])).await;
    let mine = tablet.write([pass("log-filled")])[0];
    assert_eq!(tablet.push(store).await.len(), 1);
    give_roles(store, &world, "inspector", json!(["inspector"])).await;

    // Another tablet records something else under the id of what was set aside.
    let mut other = Tablet::enrol(store, &world, "inspector").await;
    other.forge(pass("panel-clear"), world.uuid(), |op| op.op_id = mine);
    assert_eq!(other.push(store).await, []);
    let aside = store.set_aside().await.unwrap().listed;
    assert_eq!(
        aside.iter().map(|it| it.op_id.clone()).collect::<Vec<_>>(),
        [mine.to_string()],
        "nobody else's work takes its place"
    );
    let left = judge_again(store, world.clone(), tablet.device.id, None).await.unwrap().left;
    assert_eq!(left[0].code, "op-id-taken");
}

pub async fn what_a_later_version_wrote_is_kept(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let check = check(ROOM).0;
    let unknown = |entity, id, kind| Draft { kind, ..Draft::set(entity, id, "x", json!(1), None) };
    let drafts = [
        unknown(entity::CHECK, check, Kind::Unknown),
        unknown("thing-of-tomorrow", Uuid::from_u128(7), Kind::Set),
        Draft::set(entity::CHECK, check, "answer-of-tomorrow", json!({"deep": [1.5]}), None),
    ];
    let ids = tablet.record(store, drafts).await;
    let all = ops(store).await;
    assert_eq!(all[all.len() - 3..].iter().map(|op| op.op_id).collect::<Vec<_>>(), ids);
    store.rebuild().await.unwrap();
    assert_eq!(shown(store).await, []);
}

pub async fn a_wild_clock_counts_five_minutes_at_most(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let year = 365 * 24 * 3_600_000;
    let wild = Millis(MORNING.0 + 10 * year);
    let by_wild = tablet.forge(pass("log-filled"), world.uuid(), move |op| {
        op.hlc = Hlc::at(wild);
        op.device_time = wild;
    });
    assert_eq!(tablet.push(store).await, []);
    let check = check(ROOM).0;
    let sides = async || {
        store.transact(move |ledger| ledger.register(check, "answer:log-filled")).await.unwrap().sides
    };
    assert_eq!(sides().await[0].hlc.time(), Millis(MORNING.0 + MAX_AHEAD));

    let honest = tablet.record(store, [pass("log-filled")]).await;
    world.wait(MAX_AHEAD + 1);
    // A later text by an honest clock stands first again.
    let last = tablet.record(store, [pass("log-filled")]).await;
    let sides = sides().await;
    let revs: Vec<Uuid> = sides.iter().map(|side| side.rev).collect();
    assert_eq!(revs, [last[0], by_wild, honest[0]]);
    let pen = store.transact(|ledger| ledger.pen(demo::site())).await.unwrap();
    assert!(pen.hlc >= sides[0].hlc, "the hub's next stamp is later than what it saw");
    assert!(pen.hlc.time() <= Millis(world.now().0 + MAX_AHEAD));
}

pub async fn operations_that_replace_each_other_in_a_ring_do_no_harm(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (a, b) = (world.uuid(), world.uuid());
    let answer = |outcome, base| answers(check(ROOM), "log-filled", outcome, Some(base));
    tablet.forge(answer(Outcome::Pass, b), world.uuid(), move |op| op.op_id = a);
    tablet.forge(answer(Outcome::Fail, a), world.uuid(), move |op| op.op_id = b);
    assert_eq!(tablet.push(store).await, []);
    assert_eq!(shown(store).await, [("log-filled".into(), Outcome::Fail)], "the worse is shown");
}

pub async fn two_different_answers_both_stand_and_the_office_sees_it(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let mut colleague = Tablet::enrol(store, &world, "inspector").await;
    tablet.record(store, [pass("log-filled")]).await;
    colleague.record(store, [answers(check(ROOM), "log-filled", Outcome::Fail, None)]).await;
    assert_eq!(shown(store).await, [("log-filled".into(), Outcome::Fail)], "the worse is shown");
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    let [conflict] = view.checks[0].conflicts.as_slice() else { panic!("one conflict") };
    assert_eq!(conflict.field, "answer:log-filled");
    assert_eq!(conflict.sides.iter().map(|side| &side.by).collect::<Vec<_>>(), ["检查员甲"; 2]);
}

pub async fn what_two_answers_started_from_is_told_where_that_is_one_value(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let mut colleague = Tablet::enrol(store, &world, "inspector").await;
    let answer = |outcome, base| answers(check(ROOM), "log-filled", outcome, base);
    let first = tablet.record(store, [pass("log-filled")]).await[0];
    tablet.record(store, [answer(Outcome::NotApplicable, Some(first))]).await;
    let base = async || {
        let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
        let [conflict] = view.checks[0].conflicts.as_slice() else { panic!("one conflict") };
        conflict.base.clone()
    };
    colleague.record(store, [answer(Outcome::Fail, Some(first))]).await;
    let told = base().await.unwrap();
    assert_eq!((told.rev, &*told.by, told.at), (first.to_string(), "检查员甲", MORNING));
    assert_eq!(told.value["outcome"], "pass");
    // A third began with nothing.
    let mut third = Tablet::enrol(store, &world, "inspector").await;
    third.record(store, [pass("log-filled")]).await;
    assert_eq!(base().await, None);
}
