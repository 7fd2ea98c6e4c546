//! The life of an issue, in the office and on a tablet.

use super::kit::{MORNING, StillWorld, Tablet, answer, answers, check, finding, garden, ops, photo, round};
use crate::demo;
use crate::issues::{NotMoved, prove, step};
use crate::office::{Hand, write};
use crate::store::Store;
use crate::world::{World, day};
use jiff::civil::date;
use serde_json::{Map, json};
use standpipe_domain::answer::Outcome;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::finding::{Lack, Severity};
use standpipe_domain::ids::{FindingId, IssueId, UnitId};
use standpipe_domain::issue::{IssueView, NoStep, Status, Step, StepRequest, TimelineEntry};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::office::IssueFilter;
use standpipe_domain::record::{entity, finding_id, issue_id, set};
use standpipe_oplog::op::{Amend, Kind};
use standpipe_oplog::pen::Draft;
use std::iter;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) const PIPE: &str = "B4-33-LG";

/// Fails an item and says why, as the inspector does.
pub(crate) async fn fail(
    store: &dyn Store,
    tablet: &mut Tablet,
    tag: &str,
    item: &str,
    words: &str,
) -> FindingId {
    let (id, record) = finding(check(tag), item, words);
    tablet.record(store, [answers(check(tag), item, Outcome::Fail, None), record]).await;
    id
}

pub(super) async fn issue(store: &dyn Store, id: IssueId, asking: &str) -> IssueView {
    store.issue(id, demo::person(asking), day(MORNING)).await.unwrap().unwrap()
}

pub(super) async fn numbers(store: &dyn Store) -> Vec<String> {
    let all = store.issues(&IssueFilter::default(), day(MORNING)).await.unwrap();
    all.into_iter().map(|line| line.number).collect()
}

pub(super) fn assignment() -> StepRequest {
    StepRequest {
        unit: Some(UnitId(demo::id("unit", "property"))),
        person: Some(demo::person("property")),
        date: Some(date(2023, 7, 8)),
        ..StepRequest::bare(Step::Assign)
    }
}

fn with(step: Step, words: &str) -> StepRequest {
    StepRequest { words: words.into(), ..StepRequest::bare(step) }
}

/// Takes a step in the office, by somebody who looks at the issue as it stands.
pub(super) async fn step_seen(
    store: &dyn Store,
    world: &Arc<StillWorld>,
    id: IssueId,
    by: &str,
    request: StepRequest,
) -> Result<(), NotMoved> {
    let seen = issue(store, id, by).await.seen();
    step(store, world.clone(), id, demo::person(by), StepRequest { seen, ..request }).await
}

/// Walks an issue as far as the claim that it is done.
async fn claim(store: &dyn Store, world: &Arc<StillWorld>, id: IssueId) {
    let propose = StepRequest { date: Some(date(2023, 7, 7)), ..with(Step::Propose, "更换阀门") };
    for (by, request) in [
        ("branch", assignment()),
        ("property", propose),
        ("branch", with(Step::Agree, "")),
        ("property", with(Step::Start, "")),
        ("property", with(Step::ClaimDone, "已更换")),
    ] {
        world.wait(1_000);
        step_seen(store, world, id, by, request).await.unwrap();
    }
}

/// A step as a tablet writes it.
fn on_tablet(id: IssueId, taken: Step, to: Status, base: Option<Uuid>, words: &str) -> [Draft; 2] {
    let entry = TimelineEntry {
        step: Some(taken),
        to,
        by: "随便写的名字".into(),
        at: MORNING,
        unit: None,
        person: None,
        date: None,
        words: words.into(),
    };
    [
        Draft::set(entity::ISSUE, id.0, "status", json!(to), base),
        Draft::add(entity::ISSUE, id.0, set::TIMELINE, json!(entry)),
    ]
}

/// The operation that wrote the status that is shown.
async fn status_rev(store: &dyn Store, id: IssueId) -> Option<Uuid> {
    let register = store.transact(move |ledger| ledger.register(id.0, "status")).await.unwrap();
    register.shown().map(|side| side.rev)
}

pub async fn an_issue_opens_once_for_each_finding(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let one = fail(store, &mut tablet, PIPE, "door-seal", "封条破损").await;
    let view = issue(store, issue_id(one), "office").await;
    assert_eq!((view.line.number.as_str(), view.line.status), ("ZJ-1", Status::Open));
    assert_eq!(view.line.title.en, "Door seal intact");
    assert_eq!((view.line.finding, view.line.words.as_str()), (Some(one), "封条破损"));
    assert_eq!(view.line.path.last().unwrap().en, "Floor 33");
    assert_eq!(view.timeline.len(), 1);
    assert_eq!((view.timeline[0].step, view.timeline[0].by.as_str()), (None, "检查员甲"));
    assert_eq!(view.next_steps, [Step::Assign]);

    let (_, photo) = photo(entity::FINDING, one.0, b"seal");
    tablet.record(store, [photo]).await;
    fail(store, &mut tablet, PIPE, "access-clear", "堆放杂物").await;
    assert_eq!(numbers(store).await, ["ZJ-2", "ZJ-1"], "touched again, the first is still one");
    assert_eq!(issue(store, issue_id(one), "office").await.before.len(), 1);
    // Opened by the hub's own device, after the finding.
    let opening = ops(store).await.into_iter().find(|op| op.entity == entity::ISSUE).unwrap();
    assert_eq!(opening.device, store.identity().device);
}

pub async fn a_finding_without_words_or_fail_opens_none(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let (id, record) = finding(check(PIPE), "door-seal", "  ");
    let ids = tablet.record(store, [record]).await;
    tablet.record(store, [answers(check(PIPE), "door-seal", Outcome::Pass, None)]).await;
    assert_eq!(numbers(store).await, [""; 0]);
    let words = Draft::set(entity::FINDING, id.0, "words", json!("封条破损"), Some(ids[0]));
    let ids = tablet.record(store, [words]).await;
    assert_eq!(numbers(store).await, [""; 0], "its item passed");
    let blank = Draft::set(entity::FINDING, id.0, "words", json!(""), Some(ids[0]));
    let ids = tablet.record(store, [blank, answers(check(PIPE), "door-seal", Outcome::Fail, None)]).await;
    assert_eq!(numbers(store).await, [""; 0], "it says nothing");
    tablet.record(store, [Draft::set(entity::FINDING, id.0, "words", json!("破"), Some(ids[0]))]).await;
    assert_eq!(numbers(store).await, ["ZJ-1"]);
}

pub async fn a_finding_that_a_photo_began_is_shown_and_opens_none_yet(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let check = check(PIPE);
    let id = finding_id(check, "door-seal");
    let begun = Map::from_iter([("check".into(), json!(check)), ("item".into(), json!("door-seal"))]);
    let (_, photo) = photo(entity::FINDING, id.0, b"seal");
    let fail = answers(check, "door-seal", Outcome::Fail, None);
    tablet.record(store, [fail, Draft::record(entity::FINDING, id.0, begun), photo]).await;
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    let [found] = view.findings.as_slice() else { panic!("its photo is here, so the office sees it") };
    assert_eq!(
        (found.photos.len(), found.lacks.as_slice(), found.issue),
        (1, [Lack::Words].as_slice(), None)
    );
    assert_eq!(found.asked.as_ref().unwrap().question.en, "Door seal intact");
    let set = |field, value| Draft::set(entity::FINDING, id.0, field, value, None);
    tablet.record(store, [set("words", json!("封条破损"))]).await;
    assert_eq!(numbers(store).await, [""; 0], "nobody said how bad it is");
    tablet.record(store, [set("severity", json!(Severity::Critical))]).await;
    assert_eq!(issue(store, issue_id(id), "office").await.line.severity, Severity::Critical);
}

pub async fn an_issue_says_what_its_finding_says_by_now(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let (id, record) = finding(check(PIPE), "door-seal", "封");
    let ids = tablet.record(store, [answers(check(PIPE), "door-seal", Outcome::Fail, None), record]).await;
    let words = Draft::set(entity::FINDING, id.0, "words", json!("封条破损"), Some(ids[1]));
    let worse = Draft::set(entity::FINDING, id.0, "severity", json!(Severity::Critical), Some(ids[1]));
    tablet.record(store, [words, worse]).await;
    let view = issue(store, issue_id(id), "office").await;
    assert_eq!((view.line.words.as_str(), view.line.severity), ("封条破损", Severity::Critical));
    assert_eq!(view.timeline.len(), 1);
}

/// Amends an item, with what comes in the same transaction.
async fn amend(store: &dyn Store, tablet: &mut Tablet, item: &str, outcome: Outcome, more: &[Draft]) {
    let amend = Amend { value: json!(answer(outcome)), reason: "复查时发现".into() };
    let field = format!("{ANSWER}{item}");
    let draft = Draft::set(entity::CHECK, check(PIPE).0, field, json!(amend), None);
    let draft = Draft { kind: Kind::Amend, ..draft };
    tablet.record(store, iter::once(draft).chain(more.iter().cloned())).await;
}

pub async fn an_amendment_to_fail_opens_one(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    tablet.record(store, [answers(check(PIPE), "door-seal", Outcome::Pass, None)]).await;
    let (id, record) = finding(check(PIPE), "door-seal", "复查时发现");
    amend(store, &mut tablet, "door-seal", Outcome::Fail, &[record]).await;
    let view = issue(store, issue_id(id), "office").await;
    assert_eq!((view.line.words.as_str(), view.line.withdrawn), ("复查时发现", false));
    let round = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    let [found] = round.findings.as_slice() else { panic!("the office sees the finding") };
    assert_eq!((found.answer.outcome, found.issue), (Outcome::Fail, Some(issue_id(id))));
    let checked = round.checks.iter().find(|it| it.id == check(PIPE)).unwrap();
    assert_eq!(checked.answers["door-seal"].outcome, Outcome::Pass, "what was answered first stands");
}

pub async fn an_amendment_gives_way_to_what_is_answered_after_it(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let passed = tablet.record(store, [answers(check(PIPE), "door-seal", Outcome::Pass, None)]).await[0];
    // Under a signature that the hub has set aside.
    amend(store, &mut tablet, "door-seal", Outcome::Pass, &[]).await;
    let (id, record) = finding(check(PIPE), "door-seal", "漏水");
    tablet.record(store, [answers(check(PIPE), "door-seal", Outcome::Fail, Some(passed))]).await;
    tablet.record(store, [record]).await;
    let seen = async || {
        let round = store.round(round(), day(MORNING)).await.unwrap().unwrap();
        assert_eq!(round.findings.iter().map(|found| found.id).collect::<Vec<_>>(), [id]);
        issue(store, issue_id(id), "office").await.line.withdrawn
    };
    assert!(!seen().await, "it fails, and has its issue");
    store.rebuild().await.unwrap();
    assert!(!seen().await);
    amend(store, &mut tablet, "door-seal", Outcome::Pass, &[]).await;
    assert!(seen().await, "what is amended later counts");
}

pub async fn an_issue_says_when_its_item_does_not_fail_any_more(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let withdrawn = async |id| {
        let all = store.issues(&IssueFilter::default(), day(MORNING)).await.unwrap();
        let listed = all.into_iter().find(|line| line.id == issue_id(id)).unwrap().withdrawn;
        assert_eq!(issue(store, issue_id(id), "office").await.line.withdrawn, listed);
        listed
    };
    let (one, record) = finding(check(PIPE), "door-seal", "封条破损");
    let failed = answers(check(PIPE), "door-seal", Outcome::Fail, None);
    let ids = tablet.record(store, [failed, record]).await;
    let other = fail(store, &mut tablet, PIPE, "access-clear", "堆放杂物").await;
    assert!(!withdrawn(one).await && !withdrawn(other).await);
    tablet.record(store, [answers(check(PIPE), "door-seal", Outcome::Pass, Some(ids[0]))]).await;
    assert!(withdrawn(one).await && !withdrawn(other).await);
    amend(store, &mut tablet, "access-clear", Outcome::Pass, &[]).await;
    assert!(withdrawn(other).await);
}

pub async fn an_issue_walks_from_the_office_to_the_tablet_and_back(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let id = issue_id(fail(store, &mut tablet, PIPE, "door-seal", "封条破损").await);
    claim(store, &world, id).await;
    let evidence = Evidence {
        sha256: photo(entity::ISSUE, id.0, b"fixed").0,
        media_type: "image/jpeg".into(),
        bytes: 5,
        name: "after.jpg".into(),
        item: None,
        at: MORNING,
    };
    prove(store, world.clone(), id, demo::person("property"), evidence.clone()).await.unwrap();
    let view = issue(store, id, "inspector").await;
    assert_eq!(view.line.status, Status::ClaimedDone);
    assert_eq!(view.line.unit.as_ref().unwrap().zh, "小区物业");
    assert_eq!(
        (view.line.person.as_deref(), view.line.deadline),
        (Some("物业工程甲"), Some(date(2023, 7, 8)))
    );
    assert_eq!(view.solution.as_ref().unwrap().words, "更换阀门");
    assert_eq!(view.next_steps, [Step::Verify, Step::Reopen]);
    assert_eq!(view.after.len(), 1);
    assert_eq!(issue(store, id, "property").await.next_steps, [], "nobody verifies their own claim");

    // The inspector looks, and verifies with a photo of their own.
    tablet.pull(store).await;
    let base = status_rev(store, id).await;
    let proof =
        Draft::add(entity::ISSUE, id.0, set::PROOF, json!(Evidence { name: "复查.jpg".into(), ..evidence }));
    let drafts = on_tablet(id, Step::Verify, Status::Verified, base, "属实").into_iter().chain([proof]);
    tablet.record(store, drafts).await;
    let view = issue(store, id, "branch").await;
    assert_eq!((view.line.status, view.after.len()), (Status::Verified, 2));
    let last = view.timeline.last().unwrap();
    assert_eq!((last.step, last.words.as_str()), (Some(Step::Verify), "属实"));
    assert_eq!(last.by, "检查员甲", "whoever the tablet belongs to, whatever name it wrote");
    step_seen(store, &world, id, "branch", with(Step::Close, "")).await.unwrap();
    let view = issue(store, id, "branch").await;
    assert_eq!(view.line.status, Status::Closed);
    let steps: Vec<_> = view.timeline.iter().filter_map(|entry| entry.step).collect();
    let walk =
        [Step::Assign, Step::Propose, Step::Agree, Step::Start, Step::ClaimDone, Step::Verify, Step::Close];
    assert_eq!(steps, walk);
}

pub async fn a_step_that_may_not_be_taken_is_set_aside(store: &dyn Store) {
    let (world, mut inspector) = garden(store).await;
    let id = issue_id(fail(store, &mut inspector, PIPE, "door-seal", "封条破损").await);
    let verify = |base| on_tablet(id, Step::Verify, Status::Verified, base, "");
    let open = status_rev(store, id).await;
    assert_eq!(inspector.refused(store, verify(open)).await, "not-from-here");
    claim(store, &world, id).await;
    let claimed = status_rev(store, id).await;
    assert_eq!(inspector.refused(store, verify(open)).await, "not-from-here", "it had not seen the claim");
    assert_eq!(
        inspector.refused(store, on_tablet(id, Step::Close, Status::Closed, claimed, "")).await,
        "not-from-here"
    );
    assert_eq!(inspector.refused(store, verify(claimed)).await, "no-photo", "who verifies shows it");
    let (_, proof) = photo(entity::ISSUE, id.0, b"fixed");
    inspector.record(store, [Draft { field: Some(set::PROOF.into()), ..proof }]).await;
    // One step, with one entry, each field once, and none that is not its own.
    let [status, entry] = verify(claimed);
    let closes = Draft::set(entity::ISSUE, id.0, "status", json!(Status::Closed), claimed);
    assert_eq!(inspector.refused(store, [closes, status, entry]).await, "not-allowed");
    let [_, twice] = verify(claimed);
    let entries = verify(claimed).into_iter().chain([twice]);
    assert_eq!(inspector.refused(store, entries).await, "not-allowed");
    let wiped = Draft::set(entity::ISSUE, id.0, "unit", json!(null), None);
    let reopen = on_tablet(id, Step::Reopen, Status::Reopened, claimed, "x");
    assert_eq!(inspector.refused(store, reopen.into_iter().chain([wiped])).await, "not-allowed");
    let silent = on_tablet(id, Step::Reopen, Status::Reopened, claimed, " ");
    assert_eq!(inspector.refused(store, silent).await, "no-words");
    let mislabelled = on_tablet(id, Step::Reopen, Status::Verified, claimed, "x");
    assert_eq!(inspector.refused(store, mislabelled).await, "malformed");
    let [status, _] = verify(claimed);
    assert_eq!(inspector.refused(store, [status]).await, "malformed", "a step leaves its trace");
    let [_, entry] = verify(claimed);
    assert_eq!(inspector.refused(store, [entry]).await, "not-allowed", "and no trace without a step");
    let deadline = Draft::set(entity::ISSUE, id.0, "deadline", json!("2030-01-01"), None);
    let smuggled = verify(claimed).into_iter().chain([deadline.clone()]);
    assert_eq!(inspector.refused(store, smuggled).await, "not-allowed");
    assert_eq!(inspector.refused(store, [deadline]).await, "not-allowed");
    let seal =
        Draft { kind: Kind::Seal, field: None, ..Draft::set(entity::ISSUE, id.0, "x", json!({}), None) };
    assert_eq!(inspector.refused(store, [seal]).await, "not-allowed");
    let disguised = Draft::set(entity::FINDING, id.0, "status", json!(Status::Closed), claimed);
    assert_eq!(inspector.refused(store, [disguised]).await, "other-entity");

    let mut property = Tablet::enrol(store, &world, "property").await;
    assert_eq!(property.refused(store, verify(claimed)).await, "not-allowed");
    // Whoever may verify, but claimed it themselves.
    let hand = Hand { scope: demo::site(), actor: demo::person("office"), now: MORNING };
    let mine = json!(demo::person("inspector"));
    let hub = world.clone();
    store
        .transact(move |ledger| {
            let claim = crate::office::change(ledger, entity::ISSUE, id.0, "claimed_by", mine)?;
            write(ledger, &*hub, hand, [claim])
        })
        .await
        .unwrap();
    assert_eq!(inspector.refused(store, verify(claimed)).await, "own-claim");
    let view = issue(store, id, "office").await;
    assert_eq!((view.line.status, view.timeline.len()), (Status::ClaimedDone, 6), "none of it had an effect");
}

pub async fn the_office_is_held_to_the_same_rules(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let id = issue_id(fail(store, &mut tablet, PIPE, "door-seal", "封条破损").await);
    let take = async |by: &str, request| step_seen(store, &world, id, by, request).await;
    let ghost = IssueId(world.uuid());
    let unknown = step(store, world.clone(), ghost, demo::person("office"), assignment()).await;
    assert!(matches!(unknown, Err(NotMoved::Unknown(it)) if it == ghost));
    assert!(matches!(take("property", assignment()).await, Err(NotMoved::NoStep(NoStep::NotAllowed))));
    let nobody = StepRequest { person: Some(standpipe_domain::ids::PersonId(world.uuid())), ..assignment() };
    assert!(matches!(take("office", nobody).await, Err(NotMoved::UnknownAssignee)));
    let incomplete = StepRequest { date: None, ..assignment() };
    let refused = take("office", incomplete).await;
    assert!(matches!(refused, Err(NotMoved::NoStep(NoStep::AssignmentIncomplete))));
    let early = take("office", with(Step::Close, "")).await;
    assert!(matches!(early, Err(NotMoved::NoStep(NoStep::NotFromHere { .. }))));
    assert_eq!(issue(store, id, "office").await.timeline.len(), 1);
    take("office", assignment()).await.unwrap();
    assert_eq!(issue(store, id, "office").await.line.status, Status::Assigned);
}

pub async fn an_office_step_is_not_taken_over_what_its_author_never_saw(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let id = issue_id(fail(store, &mut tablet, PIPE, "door-seal", "封条破损").await);
    // Both open the form; one of them is first.
    let seen = issue(store, id, "office").await.seen();
    let assign = |day| StepRequest { date: Some(day), seen: seen.clone(), ..assignment() };
    let take = async |by: &str, request| step(store, world.clone(), id, demo::person(by), request).await;
    take("office", assign(date(2023, 7, 20))).await.unwrap();
    let first = store.who(demo::person("office")).await.unwrap().unwrap().name;
    let told = |refused| matches!(refused, Err(NotMoved::NoStep(NoStep::MovedOn { by })) if by == first);
    assert!(told(take("branch", assign(date(2023, 7, 21))).await));
    assert!(told(take("branch", assignment()).await), "who names nothing has seen nothing");
    let view = issue(store, id, "office").await;
    assert_eq!((view.line.deadline, view.timeline.len()), (Some(date(2023, 7, 20)), 2));
    // What somebody did themselves they know, whatever another window of theirs still shows.
    take("office", assign(date(2023, 7, 22))).await.unwrap();
    assert!(told(take("branch", StepRequest { seen: view.seen(), ..assignment() }).await));

    // Two statuses at once, as a restored hub's log may hold them.
    let open = issue(store, id, "branch").await;
    let hand = Hand { scope: demo::site(), actor: demo::person("office"), now: world.now() };
    let lost = Draft::set(entity::ISSUE, id.0, "status", json!(Status::Proposed), Some(seen[0]));
    let hub = world.clone();
    store.transact(move |ledger| write(ledger, &*hub, hand, [lost])).await.unwrap();
    assert!(told(take("branch", StepRequest { seen: open.seen(), ..assignment() }).await));
    let both = issue(store, id, "branch").await;
    let statuses: Vec<_> = both.statuses.iter().map(|side| side.status).collect();
    assert_eq!((both.line.status, &*statuses), (Status::Proposed, &[Status::Proposed, Status::Assigned][..]));
    let agree = StepRequest { seen: both.seen(), ..with(Step::Agree, "") };
    take("branch", agree).await.unwrap();
    assert_eq!(issue(store, id, "branch").await.statuses.len(), 1, "who saw both settles them");
}

pub async fn an_office_step_settles_what_stood_beside(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let id = issue_id(fail(store, &mut tablet, PIPE, "door-seal", "封条破损").await);
    // Two deadlines at once, as a restored hub's log may hold them.
    let hand = Hand { scope: demo::site(), actor: demo::person("office"), now: world.now() };
    let at = |day: &str| Draft::set(entity::ISSUE, id.0, "deadline", json!(day), None);
    let drafts = [at("2023-07-20"), at("2023-07-21")];
    let hub = world.clone();
    store.transact(move |ledger| write(ledger, &*hub, hand, drafts)).await.unwrap();
    let sides = async || store.transact(move |ledger| ledger.register(id.0, "deadline")).await.unwrap().sides;
    assert_eq!(sides().await.len(), 3, "with the empty one it was opened with");
    step_seen(store, &world, id, "office", assignment()).await.unwrap();
    assert_eq!(sides().await.len(), 1);
    assert_eq!(issue(store, id, "office").await.line.deadline, Some(date(2023, 7, 8)));
}

pub async fn whoever_wrote_where_an_issue_will_be_is_overruled(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let (id, record) = finding(check(PIPE), "door-seal", "封条破损");
    let squat = |field: &str, value| Draft::set("thing-of-tomorrow", issue_id(id).0, field, value, None);
    tablet
        .record(
            store,
            [squat("status", json!(Status::Closed)), squat("claimed_by", json!(demo::person("branch")))],
        )
        .await;
    tablet.record(store, [answers(check(PIPE), "door-seal", Outcome::Fail, None), record]).await;
    let view = issue(store, issue_id(id), "branch").await;
    assert_eq!((view.line.status, view.timeline.len()), (Status::Open, 1));
    let (_, photo) = photo(entity::ISSUE, issue_id(id).0, b"found");
    tablet.record(store, [photo]).await;
    assert_eq!(tablet.refused(store, [squat("status", json!(Status::Closed))]).await, "other-entity");
    let sides = async |field: &'static str| {
        store.transact(move |ledger| ledger.register(issue_id(id).0, field)).await.unwrap().sides
    };
    assert_eq!((sides("status").await.len(), sides("claimed_by").await.len()), (1, 1));
}
