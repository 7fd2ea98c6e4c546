use super::*;
use crate::op::{Kind, Op};
use serde_json::{Value, json};
use standpipe_domain::answer::Outcome;
use standpipe_domain::ids::SiteId;
use standpipe_domain::merge_rule::rule;

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn op(n: u128, kind: Kind, field: Option<&str>, value: Value, base: Option<u128>) -> Op {
    Op {
        op_id: uuid(n),
        device: DeviceId(uuid(1000 + n)),
        incarnation: 1,
        dev_seq: 1,
        tx: uuid(n),
        scope: SiteId(uuid(1)),
        entity: "check".into(),
        id: uuid(9),
        kind,
        field: field.map(str::to_owned),
        value,
        base_rev: base.map(uuid),
        hlc: Hlc(u64::try_from(n).unwrap() << 16),
        device_time: Millis(0),
        clock_offset: None,
        actor: PersonId(uuid(2)),
        schema: 1,
    }
}

fn answer(n: u128, outcome: &str, base: Option<u128>) -> Op {
    op(n, Kind::Set, Some("answer:valve"), json!({"outcome": outcome, "at": u64::try_from(n).unwrap()}), base)
}

fn fold(ops: &[Op], pin: Option<u128>) -> Register {
    Register::fold(ops, "answer:valve", rule("check", "answer:valve"), pin.map(uuid), None)
}

fn revs(register: &Register) -> Vec<u128> {
    register.sides.iter().map(|side| side.rev.as_u128()).collect()
}

#[test]
fn an_edit_of_what_one_saw_replaces_it() {
    assert_eq!(revs(&fold(&[answer(1, "pass", None), answer(2, "fail", Some(1))], None)), [2]);
}

#[test]
fn two_edits_of_one_value_both_stand_and_the_worse_is_shown() {
    let register =
        fold(&[answer(1, "pass", None), answer(2, "fail", Some(1)), answer(3, "pass", Some(1))], None);
    assert_eq!(revs(&register), [2, 3]);
    assert!(register.in_conflict());
}

#[test]
fn two_people_who_say_the_same_agree() {
    let register =
        fold(&[answer(1, "pass", None), answer(2, "fail", Some(1)), answer(3, "fail", Some(1))], None);
    assert_eq!(revs(&register), [3, 2]);
    assert!(!register.in_conflict(), "only the time differs");
}

#[test]
fn what_the_office_assigned_is_shown_before_what_a_tablet_wrote_later() {
    let deadline = |n, day: &str| op(n, Kind::Set, Some("deadline"), json!(day), None);
    let ops = [deadline(1, "2023-07-10"), deadline(2, "2023-07-20")];
    let shown = |office| revs(&Register::fold(&ops, "deadline", rule("issue", "deadline"), None, office));
    assert_eq!(shown(Some(ops[0].device)), [1, 2]);
    assert_eq!(shown(None), [2, 1], "of two tablets' the later");
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    let resolve = op(
        4,
        Kind::Resolve,
        Some("answer:valve"),
        json!({"value": {"outcome": "pass"}, "saw": [uuid(2), uuid(3)]}),
        None,
    );
    let mut ops = vec![
        answer(1, "pass", None),
        answer(2, "fail", Some(1)),
        answer(3, "not-applicable", Some(1)),
        resolve,
        answer(5, "fail", Some(4)),
        answer(6, "pass", Some(3)),
    ];
    let expected = fold(&ops, None);
    assert_eq!(revs(&expected), [5, 6]);
    for _ in 0..ops.len() {
        ops.rotate_left(1);
        assert_eq!(fold(&ops, None), expected);
        ops.swap(0, 3);
        assert_eq!(fold(&ops, None), expected);
    }
}

#[test]
fn a_resolve_settles_the_sides_it_saw_and_no_other() {
    let resolve = |saw: &[u128]| {
        let saw: Vec<_> = saw.iter().copied().map(uuid).collect();
        op(9, Kind::Resolve, Some("answer:valve"), json!({"value": {"outcome": "pass"}, "saw": saw}), None)
    };
    let sides = [answer(1, "fail", None), answer(2, "not-applicable", None)];
    let with = |resolve: Op| fold(&[&sides[..], &[resolve]].concat(), None);
    assert_eq!(revs(&with(resolve(&[1, 2]))), [9]);
    assert_eq!(revs(&with(resolve(&[2]))), [1, 9], "the side that nobody saw still stands");
}

#[test]
fn advancing_gives_what_a_fold_gives_or_says_that_it_cannot() {
    // Every base for each of four operations, in every combination: far more shapes than people make, and those that only
    // a forger can, who names operations before they are written, so that they replace each other in a ring.
    let bases = [None, Some(1), Some(2), Some(3), Some(4)];
    let (mut advanced, mut rings) = (0, 0);
    for shape in 0..bases.len().pow(4) {
        let base_of: Vec<Option<u128>> =
            (0..4).map(|n| bases[shape / bases.len().pow(n) % bases.len()]).collect();
        let outcome = |n| if n % 2 == 0 { "pass" } else { "fail" };
        let ops: Vec<Op> = (1..).zip(&base_of).map(|(n, base)| answer(n, outcome(n), *base)).collect();
        let mut register = Register::default();
        for upto in 0..ops.len() {
            let folded = fold(&ops[..=upto], None);
            if register.advance(&ops[upto], "answer:valve") {
                assert_eq!(register, folded, "{:?}", &ops[..=upto]);
                advanced += 1;
            }
            register = folded;
        }
        rings += usize::from(register.sides.len() == 4 && base_of.iter().all(Option::is_some));
    }
    assert!(advanced > 50, "the short way is taken at all: {advanced}");
    assert_eq!(rings, 24, "where each was replaced by another, or by itself, all that was written is shown");
}

#[test]
fn a_choice_that_names_what_nobody_has_is_not_the_short_way() {
    let choice = |n, saw: &[u128]| {
        let saw: Vec<_> = saw.iter().copied().map(uuid).collect();
        op(n, Kind::Resolve, Some("answer:valve"), json!({"value": {"outcome": "pass"}, "saw": saw}), None)
    };
    let ops = [answer(1, "pass", None), choice(2, &[1, 3]), answer(3, "fail", Some(2))];
    let mut register = fold(&ops[..1], None);
    assert!(!register.advance(&ops[1], "answer:valve"), "it replaces one that may still come");
    register = fold(&ops[..2], None);
    assert!(!register.advance(&ops[2], "answer:valve"), "it was replaced before it came");
    assert!(fold(&ops[..2], None).sides[0].awaits);
    assert!(!fold(&ops, None).sides[0].awaits, "all that is named is here");
}

#[test]
fn what_was_sealed_is_shown_whatever_arrives_late() {
    let late = [answer(1, "pass", None), answer(2, "fail", Some(1)), answer(3, "fail", None)];
    let register = fold(&late, Some(1));
    assert_eq!(register.shown().unwrap().rev, uuid(1));
    assert!(register.differs(), "the late ones are shown beside it");
}

#[test]
fn an_amendment_stands_beside_what_was_signed() {
    let amend = op(
        2,
        Kind::Amend,
        Some("answer:valve"),
        json!({"value": {"outcome": "fail"}, "reason": "misread"}),
        Some(1),
    );
    let ops = [answer(1, "pass", None), amend];
    assert_eq!(revs(&fold(&ops, Some(1))), [1]);
    assert_eq!(amendments(&ops)[0].reason, "misread");
}

#[test]
fn an_amendment_gives_way_to_what_is_answered_after_it() {
    let amend = |n, outcome, base| {
        let value = json!({"value": {"outcome": outcome, "at": 0}, "reason": "misread"});
        op(n, Kind::Amend, Some("answer:valve"), value, base)
    };
    let [first, second] = [answer(1, "pass", None), answer(4, "fail", Some(1))];
    let says = |amendments: &[Op], shown: Option<&Op>| {
        let side = shown.and_then(|op| Side::written(op, "answer:valve"));
        amended_answer(amendments, "valve", side.as_ref()).map(|answer| answer.outcome)
    };
    let over_first = [amend(2, "not-applicable", Some(1)), amend(3, "pass", Some(1))];
    assert_eq!(says(&over_first, Some(&first)), Some(Outcome::Pass), "the latest");
    assert_eq!(says(&over_first, Some(&second)), None, "it was answered anew since");
    assert_eq!(says(&over_first, None), Some(Outcome::Pass), "what it was made over has not come yet");
    let later = [&over_first[..], &[amend(5, "not-applicable", Some(1))]].concat();
    assert_eq!(says(&later, Some(&second)), Some(Outcome::NotApplicable));
    // By a clock that was set back, and by somebody who saw what is shown.
    assert_eq!(says(&[amend(3, "pass", Some(4))], Some(&second)), Some(Outcome::Pass));
    assert_eq!(amended_answer(&over_first, "hose", None), None);
}

#[test]
fn a_record_written_at_once_gives_each_of_its_fields() {
    let record = op(1, Kind::Set, None, json!({"answer:valve": {"outcome": "pass"}, "order": 3}), None);
    assert_eq!(revs(&fold(&[record, answer(2, "fail", Some(1))], None)), [2]);
}

#[test]
fn photos_of_both_stand_and_only_what_was_seen_is_taken_out() {
    let add = |n| op(n, Kind::Add, Some("photos"), json!({"sha256": n.to_string()}), None);
    let remove = op(3, Kind::Remove, Some("photos"), json!({"saw": [uuid(1)]}), None);
    let ops = [remove, add(1), add(2)];
    let left: Vec<_> =
        members(&ops, "photos", &BTreeSet::new()).iter().map(|side| side.rev.as_u128()).collect();
    assert_eq!(left, [2]);
}

#[test]
fn an_edit_against_a_delete_keeps_the_record_and_flags_it() {
    let delete = op(3, Kind::Delete, None, json!({"saw": [uuid(2)]}), None);
    let seen = [answer(1, "pass", None), answer(2, "fail", Some(1)), delete];
    assert!(!is_gone(&seen[..2], false), "nobody deleted it");
    assert!(is_gone(&seen, false), "the tombstone saw 2, and with it 1");
    assert!(!is_gone(&seen, true), "what was signed stays");
    let unseen = [&seen[..], &[answer(4, "pass", Some(1))]].concat();
    assert!(!is_gone(&unseen, false), "nobody who deleted it saw 4");
}

#[test]
fn whoever_deletes_what_was_settled_has_seen_both_sides() {
    let settled = json!({"value": {"outcome": "pass"}, "saw": [uuid(1), uuid(2)]});
    let settled = op(3, Kind::Resolve, Some("answer:valve"), settled, None);
    let delete = op(4, Kind::Delete, None, json!({"saw": [uuid(3)]}), None);
    let ops = [answer(1, "pass", None), answer(2, "fail", None), settled, delete];
    assert!(is_gone(&ops, false));
    let unseen = [&ops[..], &[answer(5, "pass", Some(2))]].concat();
    assert!(!is_gone(&unseen, false));
}

/// What it shows, the operations, what was seen of them, and what is replaced.
type Case = (&'static str, Vec<Op>, &'static [u128], &'static [u128]);

#[test]
fn who_writes_replaces_the_last_of_what_they_saw() {
    let own = |n, base| Op { device: DeviceId(uuid(7)), ..answer(n, "pass", base) };
    let replaced = |ops: &[Op], seen: &[u128]| {
        let seen: Vec<_> = seen.iter().copied().map(uuid).collect();
        let revs = super::replaced(ops, "answer:valve", &seen, |op| {
            (op.device, op.incarnation) == (DeviceId(uuid(7)), 1)
        });
        revs.into_iter().map(|rev| rev.as_u128()).collect::<Vec<_>>()
    };
    let theirs = |n, base| answer(n, "fail", base);
    let both =
        op(5, Kind::Resolve, Some("answer:valve"), json!({"value": 1, "saw": [uuid(2), uuid(3)]}), None);
    let settled = Op { device: DeviceId(uuid(7)), ..both };
    let cases: &[Case] = &[
        ("nothing is there", vec![], &[1], &[]),
        ("what they saw", vec![theirs(1, None)], &[1], &[1]),
        ("nothing was seen", vec![theirs(1, None)], &[], &[]),
        ("what nobody knows", vec![theirs(1, None)], &[8], &[]),
        ("a colleague's change of it was not seen", vec![theirs(1, None), theirs(2, Some(1))], &[1], &[1]),
        ("one's own was", vec![theirs(1, None), own(2, Some(1)), own(3, Some(2))], &[1], &[3]),
        ("from nothing", vec![own(1, None), own(2, Some(1))], &[], &[2]),
        ("as far as a colleague's", vec![own(1, None), theirs(2, Some(1)), own(3, Some(2))], &[], &[1]),
        ("one's own from nothing was not, over another's", vec![theirs(1, None), own(2, None)], &[1], &[1]),
        ("both sides", vec![theirs(1, None), theirs(2, None)], &[1, 2], &[1, 2]),
        ("older ones too", vec![theirs(1, None), theirs(2, Some(1))], &[1, 2], &[2]),
        ("settled over more", vec![theirs(2, None), theirs(3, None), settled.clone()], &[2], &[2]),
        ("settled over these", vec![theirs(2, None), theirs(3, None), settled], &[2, 3], &[5]),
    ];
    for (what, ops, seen, last) in cases {
        assert_eq!(replaced(ops, seen), *last, "{what}");
    }
    let earlier = Op { incarnation: 2, ..own(2, Some(1)) };
    assert_eq!(replaced(&[theirs(1, None), earlier], &[1]), [1], "another tablet under this one's name");
}
