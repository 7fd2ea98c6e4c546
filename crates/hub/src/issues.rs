//! The life of an issue: opened from a finding, moved on by steps, proved with photos.

use crate::office::{Hand, change, write};
use crate::store::{IssueQuery, Ledger, Store, StoreError, answer_now};
use crate::world::World;
use serde_json::{Value, json};
use standpipe_domain::answer::Outcome;
use standpipe_domain::checklist;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{FindingId, IssueId, Millis, PersonId, SiteId};
use standpipe_domain::issue::{Mover, NoStep, Status, Step, StepRequest, TimelineEntry};
use standpipe_domain::permission::{PROVE, may_one};
use standpipe_domain::record::{Finding, Issue, entity, fields, issue_id, set};
use standpipe_domain::words::Words;
use standpipe_oplog::merge::{self, Side};
use standpipe_oplog::op::{Kind, Resolve, Saw};
use standpipe_oplog::pen::Draft;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// Why an issue was not changed.
#[derive(Debug, thiserror::Error)]
pub enum NotMoved {
    #[error("there is no issue {0}")]
    Unknown(IssueId),
    /// The assignment names somebody whom the hub does not know.
    #[error("the assignment names a unit or a person that is not in the directory")]
    UnknownAssignee,
    #[error(transparent)]
    NoStep(#[from] NoStep),
    #[error("moving the issue on: {0}")]
    Store(#[from] StoreError),
}

/// What a rule says to a request; and the database's own trouble beside it.
type Ruling = Result<Result<(), NotMoved>, StoreError>;

/// Takes a step of an issue's life in the name of `by`. What the request carries lands in one transaction.
pub async fn step(
    store: &dyn Store,
    world: Arc<dyn World>,
    issue: IssueId,
    by: PersonId,
    request: StepRequest,
) -> Result<(), NotMoved> {
    store.transact(move |ledger| take(ledger, &*world, issue, by, &request)).await?
}

/// Adds a photo of the fix. Its bytes must be in the blob store already.
pub async fn prove(
    store: &dyn Store,
    world: Arc<dyn World>,
    issue: IssueId,
    by: PersonId,
    evidence: Evidence,
) -> Result<(), NotMoved> {
    store
        .transact(move |ledger| {
            let Some(scope) = scope_of(ledger, issue)? else { return Ok(Err(NotMoved::Unknown(issue))) };
            let Some(person) = ledger.person(by)? else { return Ok(Err(NoStep::NotAllowed.into())) };
            if !may_one(&person.roles, &PROVE) {
                return Ok(Err(NoStep::NotAllowed.into()));
            }
            let hand = Hand { scope, actor: by, now: world.now() };
            write(ledger, &*world, hand, [Draft::add(entity::ISSUE, issue.0, set::PROOF, json!(evidence))])?;
            Ok(Ok(()))
        })
        .await?
}

/// The site of an issue; `None` for one that the hub did not open.
fn scope_of(ledger: &mut dyn Ledger, id: IssueId) -> Result<Option<SiteId>, StoreError> {
    let known = if ledger.is_tracked(id)? { ledger.known_as(id.0)? } else { None };
    Ok(known.map(|(scope, _)| scope))
}

fn take(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    id: IssueId,
    by: PersonId,
    request: &StepRequest,
) -> Ruling {
    let query = IssueQuery { id: Some(id), ..IssueQuery::default() };
    let (Some(row), Some(scope)) = (ledger.issues(query)?.pop(), scope_of(ledger, id)?) else {
        return Ok(Err(NotMoved::Unknown(id)));
    };
    let Some(person) = ledger.person(by)? else { return Ok(Err(NoStep::NotAllowed.into())) };
    if let Some(side) = unseen(ledger, id, by, &request.seen)? {
        let first = ledger.person(side.actor)?;
        let by = first.map_or_else(|| side.actor.to_string(), |first| first.name);
        return Ok(Err(NoStep::MovedOn { by }.into()));
    }
    let mover = Mover { person: by, roles: &person.roles };
    let allowed = mover.may_take(request.step, row.issue.status, row.issue.claimed_by);
    let photographers = ledger.members(id.0, set::PROOF)?.into_iter().map(|side| side.actor);
    let shown = request.step.shown(by, photographers);
    let to = match allowed.and_then(|to| request.complete().and(shown).map(|()| to)) {
        Ok(to) => to,
        Err(rule) => return Ok(Err(rule.into())),
    };
    let (unit, assignee) = match (request.step, request.unit, request.person) {
        (Step::Assign, Some(unit), Some(assignee)) => (ledger.unit(unit)?, ledger.person(assignee)?),
        _ => (None, None),
    };
    if request.step == Step::Assign && (unit.is_none() || assignee.is_none()) {
        return Ok(Err(NotMoved::UnknownAssignee));
    }
    let now = world.now();
    let entry = TimelineEntry {
        step: Some(request.step),
        to,
        by: person.name.clone(),
        at: now,
        unit: unit.map(|unit| unit.name),
        person: assignee.map(|assignee| assignee.name),
        date: request.date,
        words: request.words.trim().to_owned(),
    };
    let mut drafts = Vec::new();
    for (field, value) in request.changes(to, by) {
        drafts.push(change(ledger, entity::ISSUE, id.0, field, value)?);
    }
    drafts.push(Draft::add(entity::ISSUE, id.0, set::TIMELINE, json!(entry)));
    write(ledger, world, Hand { scope, actor: by, now }, drafts)?;
    Ok(Ok(()))
}

/// A status that stands and that `by`, who saw `seen`, has never seen. What they themselves wrote over nothing else than
/// that they know: a second window of theirs may still show what was before.
fn unseen(
    ledger: &mut dyn Ledger,
    id: IssueId,
    by: PersonId,
    seen: &[Uuid],
) -> Result<Option<Side>, StoreError> {
    let sides = ledger.register(id.0, "status")?.sides;
    if sides.iter().all(|side| seen.contains(&side.rev)) {
        return Ok(None);
    }
    let known = merge::replaced(&ledger.ops_of(id.0)?, "status", seen, |op| op.actor == by);
    Ok(sides.into_iter().find(|side| !known.contains(&side.rev)))
}

/// Opens the issue of a finding that has severity and words and whose item failed, or lets the issue say what the finding says by
/// now: an inspector who is still typing, or who corrects a severity, must not leave the office with the first draft.
pub(crate) fn follow(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    hand: Hand,
    id: FindingId,
) -> Result<(), StoreError> {
    let Some(finding) = ledger.finding(id)? else { return Ok(()) };
    let Some(severity) = finding.severity else { return Ok(()) };
    if finding.words.trim().is_empty() {
        return Ok(());
    }
    let query = IssueQuery { id: Some(issue_id(id)), ..IssueQuery::default() };
    if let Some(row) = ledger.issues(query)?.pop() {
        let drafts = corrections(ledger, &row.issue, &finding, severity)?;
        return if drafts.is_empty() { Ok(()) } else { write(ledger, world, hand, drafts) };
    }
    if !is_live(ledger, &finding)? {
        return Ok(());
    }
    // Whoever found it opens it, whoever brought it here.
    let found = ledger.register(id.0, "words")?.shown().map_or(hand.actor, |side| side.actor);
    let hand = Hand { actor: found, ..hand };
    let drafts = opening(ledger, hand, &finding, severity)?;
    if drafts.is_empty() { Ok(()) } else { write(ledger, world, hand, drafts) }
}

fn is_live(ledger: &mut dyn Ledger, finding: &Finding) -> Result<bool, StoreError> {
    let answer = answer_now(ledger, finding.check, &finding.item)?;
    Ok(answer.is_some_and(|answer| answer.outcome == Outcome::Fail))
}

fn corrections(
    ledger: &mut dyn Ledger,
    issue: &Issue,
    finding: &Finding,
    severity: Severity,
) -> Result<Vec<Draft>, StoreError> {
    let mut drafts = Vec::new();
    if issue.words != finding.words {
        drafts.push(change(ledger, entity::ISSUE, issue.id.0, "words", json!(finding.words))?);
    }
    if issue.severity != severity {
        drafts.push(change(ledger, entity::ISSUE, issue.id.0, "severity", json!(severity))?);
    }
    Ok(drafts)
}

fn opening(
    ledger: &mut dyn Ledger,
    hand: Hand,
    finding: &Finding,
    severity: Severity,
) -> Result<Vec<Draft>, StoreError> {
    // Without its check nobody could tell what the finding is about. The issue opens once the check is here.
    let Some(check) = ledger.check(finding.check.0)? else { return Ok(Vec::new()) };
    let item = checklist::find(&check.checklist).and_then(|list| list.item(&finding.item));
    let issue = Issue {
        id: issue_id(finding.id),
        number: ledger.next_issue_number(hand.scope)?,
        title: item.map_or_else(|| Words::same(finding.item.clone()), |item| item.question.clone()),
        severity,
        status: Status::Open,
        finding: Some(finding.id),
        round: Some(check.round),
        words: finding.words.clone(),
        unit: None,
        person: None,
        deadline: None,
        solution: None,
        claimed_by: None,
    };
    let by = ledger.person(hand.actor)?.map(|person| person.name).unwrap_or_default();
    let mut drafts = Vec::new();
    if ledger.known_as(issue.id.0)?.is_none() {
        drafts.push(Draft::record(entity::ISSUE, issue.id.0, fields(&issue)));
    } else {
        // Its id can be foreseen, so somebody may have written there before. The office's word settles it.
        for (field, value) in fields(&issue) {
            drafts.push(change(ledger, entity::ISSUE, issue.id.0, &field, value)?);
        }
    }
    drafts.push(Draft::add(entity::ISSUE, issue.id.0, set::TIMELINE, json!(opened(by, hand.now, finding))));
    Ok(drafts)
}

/// Settles an issue that a restored hub opened again, before the first opening came back to it: its number stands, and what
/// the office had made of it.
pub(crate) fn settle(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    hand: Hand,
    id: IssueId,
) -> Result<(), StoreError> {
    let Some(office) = ledger.office() else { return Ok(()) };
    let mut openings = ledger.ops_of(id.0)?;
    let settled: BTreeSet<Uuid> = openings
        .iter()
        .filter(|op| op.kind == Kind::Resolve && op.device == office)
        .map(|op| op.op_id)
        .collect();
    openings.retain(|op| op.kind == Kind::Set && op.field.is_none() && op.device == office);
    openings.sort_by_key(|op| (op.hlc, op.op_id));
    let [first, _, ..] = &*openings else { return Ok(()) };
    let mut drafts = Vec::new();
    for field in first.value.as_object().into_iter().flat_map(serde_json::Map::keys) {
        let sides = ledger.register(id.0, field)?.sides;
        let says = |value: &Value| openings.iter().any(|op| op.value.get(field) == Some(value));
        // Also what an earlier settling wrote, when only a part had come back.
        let opens = |side: &Side| {
            openings.iter().any(|op| op.op_id == side.rev) || settled.contains(&side.rev) && says(&side.value)
        };
        let (opened, moved_on): (Vec<_>, Vec<_>) = sides.into_iter().partition(opens);
        if opened.is_empty() || opened.len() + moved_on.len() < 2 {
            continue;
        }
        // Where people wrote two things after it, both stand.
        let saw = opened.iter().chain(moved_on.first()).map(|side| side.rev).collect();
        let value = moved_on.first().map_or(&first.value[field], |side| &side.value).clone();
        let (kind, field) = (Kind::Resolve, Some(field.clone()));
        let value = json!(Resolve { value, saw });
        drafts.push(Draft { entity: entity::ISSUE, id: id.0, kind, field, value, base_rev: None });
    }
    let timeline = ledger.members(id.0, set::TIMELINE)?;
    let opens = |side: &&Side| side.value["step"].is_null() && side.value["to"] == json!(Status::Open);
    let saw: Vec<Uuid> = timeline.iter().filter(opens).skip(1).map(|side| side.rev).collect();
    if !saw.is_empty() {
        let (kind, field) = (Kind::Remove, Some(set::TIMELINE.to_owned()));
        let value = json!(Saw { saw });
        drafts.push(Draft { entity: entity::ISSUE, id: id.0, kind, field, value, base_rev: None });
    }
    if drafts.is_empty() {
        return Ok(());
    }
    tracing::warn!(issue = %id, "an issue that was opened again has its first opening back, which stands");
    write(ledger, world, hand, drafts)
}

/// Gives an issue a number that no other has.
pub(crate) fn renumber(
    ledger: &mut dyn Ledger,
    world: &dyn World,
    hand: Hand,
    id: IssueId,
) -> Result<(), StoreError> {
    let number = ledger.next_issue_number(hand.scope)?;
    tracing::warn!(issue = %id, number, "another issue has its number; it is given a new one");
    let draft = change(ledger, entity::ISSUE, id.0, "number", json!(number))?;
    write(ledger, world, hand, [draft])
}

fn opened(by: String, at: Millis, finding: &Finding) -> TimelineEntry {
    let words = finding.words.clone();
    TimelineEntry { step: None, to: Status::Open, by, at, unit: None, person: None, date: None, words }
}
