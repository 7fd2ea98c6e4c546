//! Issues: what the office made of a finding, and the inspector's second look.

use super::*;
use crate::testing::{OWNERS, PROPERTY, STAFF, record, set};
use serde_json::json;
use standpipe_domain::ids::{FindingId, IssueId};
use standpipe_domain::issue::{IssueView, Status, Step, StepRequest};
use standpipe_domain::record::{Issue, entity, finding_id, issue_id};
use standpipe_domain::tablet::NewAmendment;
use standpipe_domain::words::Words;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::pen::Draft;
use standpipe_oplog::wire::Refused;

fn issue(finding: FindingId, status: Status) -> Issue {
    Issue {
        id: issue_id(finding),
        number: 35,
        title: Words::new("箱门封条完好", "Door seal intact"),
        severity: Severity::Serious,
        status,
        finding: Some(finding),
        round: Some(ROUND),
        words: "封条破损".into(),
        unit: Some(PROPERTY),
        person: Some(STAFF),
        deadline: Some(date("2023-06-30")),
        solution: None,
        claimed_by: Some(STAFF),
    }
}

/// A tablet with a finding, and the issue that the office opened for it.
fn claimed() -> (Tablet, IssueId) {
    let mut tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.find(EXTINGUISHER, &item, &jpeg(41));
    let issue = issue(finding_id(check(EXTINGUISHER), &item), Status::ClaimedDone);
    let opened = json!({ "step": null, "to": "open", "by": "office", "at": 3 });
    tablet.office.write([
        record(entity::ISSUE, issue.id.0, &issue),
        Draft::add(entity::ISSUE, issue.id.0, "timeline", opened),
    ]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    (tablet, issue.id)
}

/// A step by whoever looks at the issue as it stands.
fn step(tablet: &Tablet, id: IssueId, step: Step) -> Result<IssueView, Error> {
    step_in_sight_of(&tablet.engine.issue(id).unwrap(), tablet, step)
}

fn step_in_sight_of(view: &IssueView, tablet: &Tablet, step: Step) -> Result<IssueView, Error> {
    let request = StepRequest { seen: view.seen(), words: "仍在漏水".into(), ..StepRequest::bare(step) };
    tablet.engine.issue_step(view.line.id, &request)
}

/// Somebody of the office says where an issue stands, over `base`.
fn office_says(tablet: &mut Tablet, id: IssueId, status: Status, base: Uuid) {
    tablet.office.write([set(entity::ISSUE, id.0, "status", json!(status), Some(base))]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
}

#[test]
fn an_issue_shows_its_asset_its_people_and_the_photos_of_the_finding() {
    let (tablet, id) = claimed();
    let [line] = &tablet.engine.issues().unwrap()[..] else { panic!("one issue") };
    assert_eq!((line.number.as_str(), line.overdue), ("ZJ-35", true));
    assert_eq!(line.unit.as_ref().unwrap().en, "Property company");
    assert_eq!(line.person.as_deref(), Some("物业经理"));
    assert_eq!(line.asset.as_ref().unwrap().en, "Extinguisher");
    assert_eq!(line.path.len(), 3);
    let view = tablet.engine.issue(id).unwrap();
    assert_eq!(view.before[0].evidence.sha256, sha256(&jpeg(41)));
    assert_eq!((view.after.len(), view.timeline.len()), (0, 1));
    assert_eq!(view.next_steps, [Step::Verify, Step::Reopen]);
    let today = tablet.today();
    assert_eq!((today.to_recheck, today.open_issues), (1, 1));
    let item = tablet.first_item(EXTINGUISHER);
    let finding = tablet.engine.check(check(EXTINGUISHER)).unwrap().findings.remove(0);
    assert_eq!((finding.item, finding.issue), (item, Some(id)));
}

#[test]
fn a_claimed_fix_is_verified_with_a_new_photo() {
    let (tablet, id) = claimed();
    assert_eq!(step(&tablet, id, Step::Verify).unwrap_err().code(), "no-photo");
    tablet.bring_in(AttachTo::Issue { issue: id }, "fixed.jpg", &jpeg(43)).unwrap();
    let view = step(&tablet, id, Step::Verify).unwrap();
    assert_eq!(view.line.status, Status::Verified);
    assert_eq!(view.after[0].evidence.sha256, sha256(&jpeg(43)));
    assert_eq!(view.timeline.last().unwrap().to, Status::Verified);
    assert_eq!(view.timeline.last().unwrap().by, "巡检员");
    assert_eq!(tablet.today().open_issues, 0);
    assert_eq!(step(&tablet, id, Step::Verify).unwrap_err().code(), "not-from-here");
}

#[test]
fn who_reopens_says_why_and_nobody_takes_a_step_that_is_not_theirs() {
    let (tablet, id) = claimed();
    let seen = tablet.engine.issue(id).unwrap().seen();
    let silent = StepRequest { seen, ..StepRequest::bare(Step::Reopen) };
    let bare = tablet.engine.issue_step(id, &silent).unwrap_err();
    assert_eq!(bare.code(), "no-words");
    let view = step(&tablet, id, Step::Reopen).unwrap();
    assert_eq!((view.line.status, view.line.overdue), (Status::Reopened, true));
    assert_eq!(view.timeline.last().unwrap().words, "仍在漏水");
    let assign = StepRequest {
        unit: Some(PROPERTY),
        person: Some(STAFF),
        date: Some(date("2023-08-01")),
        seen: view.seen(),
        ..StepRequest::bare(Step::Assign)
    };
    assert_eq!(tablet.engine.issue_step(id, &assign).unwrap_err().code(), "not-allowed");
}

#[test]
fn an_issue_says_when_its_item_does_not_fail_any_more() {
    let (tablet, id) = claimed();
    let withdrawn = || {
        let [line] = &tablet.engine.issues().unwrap()[..] else { panic!("one issue") };
        assert_eq!(tablet.engine.issue(id).unwrap().line.withdrawn, line.withdrawn);
        line.withdrawn
    };
    assert!(!withdrawn());
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, answer(Outcome::Pass)).unwrap();
    assert!(withdrawn());
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    assert!(!withdrawn());
}

#[test]
fn a_step_over_a_status_that_its_author_never_saw_is_refused_and_says_who_was_first() {
    let (mut tablet, id) = claimed();
    tablet.bring_in(AttachTo::Issue { issue: id }, "fixed.jpg", &jpeg(43)).unwrap();
    let open = tablet.engine.issue(id).unwrap();
    // A pull brings a newer claim while the screen still shows the one before it.
    office_says(&mut tablet, id, Status::ClaimedDone, open.seen()[0]);
    let store = tablet.engine.store();
    let before = store.chain_state().unwrap().last_seq;
    let refused = step_in_sight_of(&open, &tablet, Step::Verify).unwrap_err().problem();
    assert_eq!((&*refused.code, &refused.details["by"]), ("moved-on", &json!("物业经理")));
    let blind = tablet.engine.issue_step(id, &StepRequest::bare(Step::Verify)).unwrap_err();
    assert_eq!(blind.code(), "moved-on", "who names nothing has seen nothing");
    assert_eq!(store.chain_state().unwrap().last_seq, before, "nothing of it was recorded");
    assert_eq!(step(&tablet, id, Step::Verify).unwrap().line.status, Status::Verified, "seen by now");
}

#[test]
fn what_ones_own_step_led_to_was_seen_by_oneself() {
    let (mut tablet, id) = claimed();
    tablet.bring_in(AttachTo::Issue { issue: id }, "fixed.jpg", &jpeg(43)).unwrap();
    let open = tablet.engine.issue(id).unwrap();
    step_in_sight_of(&open, &tablet, Step::Verify).unwrap();
    let view = step_in_sight_of(&open, &tablet, Step::Reopen).unwrap();
    assert_eq!((view.line.status, view.statuses.len()), (Status::Reopened, 1));
    office_says(&mut tablet, id, Status::ClaimedDone, view.seen()[0]);
    assert_eq!(step_in_sight_of(&open, &tablet, Step::Reopen).unwrap_err().code(), "moved-on");
}

#[test]
fn of_several_statuses_only_those_were_seen_that_the_screen_showed() {
    let (mut tablet, id) = claimed();
    let other = Tablet::numbered(2);
    tablet.office.deliver(other.engine.store()).unwrap();
    tablet.bring_in(AttachTo::Issue { issue: id }, "fixed.jpg", &jpeg(43)).unwrap();
    let base = tablet.engine.issue(id).unwrap().seen()[0];
    office_says(&mut tablet, id, Status::ClaimedDone, base);
    let open = tablet.engine.issue(id).unwrap();
    // On another tablet somebody went on from the claim before it.
    step(&other, id, Step::Reopen).unwrap();
    tablet.office.take_from(other.engine.store()).unwrap();
    tablet.office.deliver(tablet.engine.store()).unwrap();

    let view = tablet.engine.issue(id).unwrap();
    let said: Vec<_> = view.statuses.iter().map(|side| (side.status, &*side.by)).collect();
    assert_eq!(said, [(Status::ClaimedDone, "物业经理"), (Status::Reopened, "巡检员")]);
    assert_eq!((view.line.status, open.line.status), (Status::ClaimedDone, Status::ClaimedDone));
    assert_eq!(step_in_sight_of(&open, &tablet, Step::Verify).unwrap_err().code(), "moved-on");
    let settled = step_in_sight_of(&view, &tablet, Step::Verify).unwrap();
    assert_eq!((settled.line.status, settled.statuses.len()), (Status::Verified, 1));
}

#[test]
fn a_step_is_one_transaction() {
    let (tablet, id) = claimed();
    let store = tablet.engine.store();
    tablet.bring_in(AttachTo::Issue { issue: id }, "fixed.jpg", &jpeg(43)).unwrap();
    let before = store.chain_state().unwrap().last_seq;
    step(&tablet, id, Step::Verify).unwrap();
    let bodies = store.outbox(before).unwrap().bodies;
    let txs: Vec<String> = bodies
        .iter()
        .map(|body| serde_json::from_str::<serde_json::Value>(body).unwrap()["tx"].to_string())
        .collect();
    assert_eq!(txs.len(), 2, "the status, and its entry in the timeline");
    assert_eq!(txs[0], txs[1]);
}

/// The office sets aside a signature under which one item was amended to pass, and another to fail. Both are answered anew.
#[test]
fn an_amendment_gives_way_to_what_is_answered_after_it() {
    let mut tablet = Tablet::new();
    tablet.pass_everything();
    let items: Vec<String> =
        tablet.list(EXTINGUISHER).items[..2].iter().map(|item| item.id.clone()).collect();
    tablet.sign(OWNERS[0], None).unwrap();
    let amend = |item: &String, answer| NewAmendment {
        check: check(EXTINGUISHER),
        item: item.clone(),
        answer,
        reason: "看错了".into(),
        severity: None,
    };
    tablet.engine.amend(&amend(&items[0], answer(Outcome::Pass))).unwrap();
    tablet.engine.amend(&amend(&items[1], failing())).unwrap();
    let store = tablet.engine.store();
    let bodies = store.outbox(0).unwrap().bodies;
    let mut ops = bodies.iter().map(|body| serde_json::from_str::<Op>(body).unwrap());
    let seal = ops.rfind(|op| op.kind == Kind::Seal).unwrap();
    let refused = Refused { op_id: seal.op_id, code: "not-asked".into(), detail: String::new() };
    store.set_aside(&[refused]).unwrap();

    tablet.find(EXTINGUISHER, &items[0], &jpeg(44));
    let again = Answer { note: "已修好".into(), ..answer(Outcome::Pass) };
    tablet.answer(EXTINGUISHER, &items[1], again).unwrap();
    let opened = issue(finding_id(check(EXTINGUISHER), &items[0]), Status::Open);
    tablet.office.write([record(entity::ISSUE, opened.id.0, &opened)]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    let withdrawn = |tablet: &Tablet| tablet.engine.issue(opened.id).unwrap().line.withdrawn;
    assert!(!withdrawn(&tablet), "it fails");
    tablet.sign(OWNERS[0], None).unwrap();
    let photo = tablet.attach(EXTINGUISHER, &items[1], "late.jpg", &jpeg(45));
    assert_eq!(photo.unwrap_err().code(), "sealed", "it passes, and that is signed");
    assert!(!withdrawn(&tablet), "as it was signed");
    tablet.engine.amend(&amend(&items[0], answer(Outcome::Pass))).unwrap();
    assert!(withdrawn(&tablet), "what is amended later counts");
}
