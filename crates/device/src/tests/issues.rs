//! Issues: what the office made of a finding, and the inspector's second look.

use super::*;
use crate::testing::{OWNERS, PROPERTY, STAFF, record};
use serde_json::json;
use standpipe_domain::ids::{FindingId, IssueId};
use standpipe_domain::issue::{Status, Step, StepRequest};
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
    let bare = tablet.engine.issue_step(id, &StepRequest::bare(Step::Verify)).unwrap_err();
    assert_eq!(bare.code(), "no-photo");
    tablet.bring_in(AttachTo::Issue { issue: id }, "fixed.jpg", &jpeg(43)).unwrap();
    let view = tablet.engine.issue_step(id, &StepRequest::bare(Step::Verify)).unwrap();
    assert_eq!(view.line.status, Status::Verified);
    assert_eq!(view.after[0].evidence.sha256, sha256(&jpeg(43)));
    assert_eq!(view.timeline.last().unwrap().to, Status::Verified);
    assert_eq!(view.timeline.last().unwrap().by, "巡检员");
    assert_eq!(tablet.today().open_issues, 0);
    let again = tablet.engine.issue_step(id, &StepRequest::bare(Step::Verify)).unwrap_err();
    assert_eq!(again.code(), "not-from-here");
}

#[test]
fn who_reopens_says_why_and_nobody_takes_a_step_that_is_not_theirs() {
    let (tablet, id) = claimed();
    let bare = tablet.engine.issue_step(id, &StepRequest::bare(Step::Reopen)).unwrap_err();
    assert_eq!(bare.code(), "no-words");
    let request = StepRequest { words: "仍在漏水".into(), ..StepRequest::bare(Step::Reopen) };
    let view = tablet.engine.issue_step(id, &request).unwrap();
    assert_eq!((view.line.status, view.line.overdue), (Status::Reopened, true));
    assert_eq!(view.timeline.last().unwrap().words, "仍在漏水");
    let assign = StepRequest {
        unit: Some(PROPERTY),
        person: Some(STAFF),
        date: Some(date("2023-08-01")),
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
fn a_step_is_one_transaction() {
    let (tablet, id) = claimed();
    let store = tablet.engine.store();
    tablet.bring_in(AttachTo::Issue { issue: id }, "fixed.jpg", &jpeg(43)).unwrap();
    let before = store.chain_state().unwrap().last_seq;
    tablet.engine.issue_step(id, &StepRequest::bare(Step::Verify)).unwrap();
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
