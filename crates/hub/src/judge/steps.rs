//! Whether what a tablet did to an issue is a step that its holder may take.

use super::values::{evidence, parsed};
use super::{Judgement, Refusal, pass};
use crate::store::{IssueQuery, Ledger};
use serde::de::DeserializeOwned;
use serde_json::Value;
use standpipe_domain::ids::{IssueId, PersonId};
use standpipe_domain::issue::{Mover, NoStep, Solution, Status, Step, StepRequest, TimelineEntry};
use standpipe_domain::people::Role;
use standpipe_domain::permission::{PROVE, may_one};
use standpipe_domain::record::{Issue, set};
use standpipe_oplog::op::{Kind, Op, Resolve};
use uuid::Uuid;

/// The fields that only the office sets.
const OFFICE: [&str; 6] = ["number", "title", "severity", "words", "finding", "round"];
/// The fields that only a step sets.
const STEP: [&str; 5] = ["unit", "person", "deadline", "solution", "claimed_by"];

/// Judges what one transaction does to one issue.
pub(super) fn judge(ledger: &mut dyn Ledger, person: PersonId, roles: &[Role], ops: &[&Op]) -> Judgement {
    let Some(id) = ops.first().map(|op| op.id) else { return Ok(Ok(())) };
    let query = IssueQuery { id: Some(IssueId(id)), ..IssueQuery::default() };
    let Some(row) = ledger.issues(query)?.pop() else {
        return Ok(Err(Refusal::new("not-allowed", "the office opens issues")));
    };
    let mut form = Form::default();
    for op in ops {
        pass!(form.take(op, roles));
    }
    let Some((status, saw)) = form.status.take() else {
        return Ok(if form.fields.is_empty() && form.timeline.is_none() {
            Ok(())
        } else {
            Err(Refusal::new("not-allowed", "an issue changes by steps"))
        });
    };
    let shown = ledger.register(id, "status")?.shown().map(|side| side.rev);
    let mut photographers: Vec<PersonId> =
        ledger.members(id, set::PROOF)?.into_iter().map(|side| side.actor).collect();
    photographers.extend(form.proves.then_some(person));
    let seen = Seen { status: shown.is_some_and(|rev| saw.contains(&rev)), photographers };
    Ok(form.step(&row.issue, person, roles, status, seen))
}

/// What a transaction does to an issue.
#[derive(Default)]
struct Form {
    /// The status that is set, and the operations that its author saw in its place.
    status: Option<(Status, Vec<Uuid>)>,
    fields: Vec<(String, Value)>,
    timeline: Option<TimelineEntry>,
    /// It adds a photo of the fix.
    proves: bool,
}

/// What a step rests on.
struct Seen {
    /// Its author had seen the status that it goes on from.
    status: bool,
    /// Who added the photos of the fix.
    photographers: Vec<PersonId>,
}

impl Form {
    fn take(&mut self, op: &Op, roles: &[Role]) -> Result<(), Refusal> {
        let no = |detail: &str| Err(Refusal::new("not-allowed", detail));
        match (op.kind, op.field.as_deref()) {
            (Kind::Add, Some(set::TIMELINE)) => {
                if self.timeline.replace(parsed(&op.value)?).is_some() {
                    return no("a step has one entry in the timeline");
                }
            }
            (Kind::Add, Some(set::PHOTOS | set::PROOF)) => {
                evidence(&op.value)?;
                if !may_one(roles, &PROVE) {
                    return no("the tablet's holder may not add a photo to an issue");
                }
                self.proves |= op.field.as_deref() == Some(set::PROOF);
            }
            (Kind::Set | Kind::Resolve, Some(field)) => {
                let (value, saw) = match op.kind {
                    Kind::Resolve => parsed::<Resolve>(&op.value).map(|it| (it.value, it.saw))?,
                    _ => (op.value.clone(), op.base_rev.into_iter().collect()),
                };
                match field {
                    "status" if self.status.is_some() => return no("one step at a time"),
                    "status" => self.status = Some((parsed(&value)?, saw)),
                    field if OFFICE.contains(&field) => return no("the office changes this"),
                    field if self.fields.iter().any(|(known, _)| known == field) => {
                        return no("a step sets a field once");
                    }
                    field if STEP.contains(&field) => self.fields.push((field.to_owned(), value)),
                    // Of a later version.
                    _ => {}
                }
            }
            // Of a later version.
            (Kind::Add, Some(_)) | (Kind::Unknown, _) => {}
            _ => return no("the office opens, seals and removes issues"),
        }
        Ok(())
    }

    fn step(
        &self,
        issue: &Issue,
        person: PersonId,
        roles: &[Role],
        to: Status,
        seen: Seen,
    ) -> Result<(), Refusal> {
        let Some(step) = Step::ALL.into_iter().find(|step| step.to() == to) else {
            return Err(Refusal::new("not-allowed", "no step leads there"));
        };
        let from = issue.status;
        // Who verifies a claim must have seen that one, not the one before it.
        if !seen.status {
            return Err(Refusal::by_rule(&NoStep::NotFromHere { from, step }));
        }
        Mover { person, roles }
            .may_take(step, from, issue.claimed_by)
            .and_then(|_| step.shown(person, seen.photographers))
            .map_err(|rule| Refusal::by_rule(&rule))?;
        if let Some((field, _)) = self.fields.iter().find(|(field, _)| !step.sets().contains(&field.as_str()))
        {
            return Err(Refusal::new("not-allowed", format!("the step {step:?} does not set {field}")));
        }
        self.request(step)?.complete().map_err(|rule| Refusal::by_rule(&rule))?;
        let claims = self.value::<PersonId>("claimed_by")?;
        if claims != (step == Step::ClaimDone).then_some(person) {
            return Err(Refusal::new("not-allowed", "a claim is one's own"));
        }
        let told = |entry: &TimelineEntry| entry.step == Some(step) && entry.to == to;
        if !self.timeline.as_ref().is_some_and(told) {
            return Err(Refusal::new("malformed", "a step stands in the timeline, under its own name"));
        }
        Ok(())
    }

    fn request(&self, step: Step) -> Result<StepRequest, Refusal> {
        let solution: Option<Solution> = self.value("solution")?;
        let words = self.timeline.as_ref().map(|entry| entry.words.clone()).unwrap_or_default();
        let deadline = self.value("deadline")?;
        Ok(StepRequest {
            unit: self.value("unit")?,
            person: self.value("person")?,
            date: solution.as_ref().map(|solution| solution.date).or(deadline),
            words: solution.map_or(words, |solution| solution.words),
            ..StepRequest::bare(step)
        })
    }

    fn value<T: DeserializeOwned>(&self, field: &str) -> Result<Option<T>, Refusal> {
        let found = self.fields.iter().find(|(name, _)| name == field);
        found.map_or(Ok(None), |(_, value)| parsed(value))
    }
}
