//! Answers, amendments, and choices between two people's answers.

use super::finding::{has_failed, say};
use super::{all, checklist_of, json, must_be_allowed, must_be_open, put, says};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::{query, replica};
use standpipe_domain::answer::{Outcome, brief};
use standpipe_domain::ids::CheckId;
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::permission::Act;
use standpipe_domain::record::{entity, finding_id};
use standpipe_domain::tablet::{CheckView, NewAmendment, NewAnswer, NewFinding};
use standpipe_oplog::op::{Amend, Kind};
use standpipe_oplog::pen::Draft;
use uuid::Uuid;

impl Engine {
    /// Records one answer.
    ///
    /// # Errors
    /// The codes of [`standpipe_domain::answer::Refusal`], and `sealed`.
    pub fn answer(&self, new: &NewAnswer) -> Result<CheckView, Error> {
        self.record("recording an answer", |writing| {
            must_be_allowed(writing, &[Act::Record])?;
            let checklist = checklist_of(writing, new.check)?;
            must_be_open(writing, new.check)?;
            let registers = replica::registers(writing, new.check.0)?;
            checklist.accept(&new.item, &new.answer, &query::answers_in(&registers))?;
            let field = format!("{ANSWER}{}", new.item);
            let value = json(&new.answer)?;
            // The same tap sent twice is one answer.
            if !says(registers.get(&field), &value) {
                put(writing, entity::CHECK, new.check.0, &field, value, &new.seen)?;
            }
            Ok(())
        })?;
        self.check(new.check)
    }

    /// Chooses the side `keep` of a field on which two people differ, over the sides that whoever chooses saw. One that they
    /// did not see stands beside it.
    pub fn resolve(
        &self,
        check: CheckId,
        field: &str,
        keep: &str,
        seen: &[Uuid],
    ) -> Result<CheckView, Error> {
        self.record("settling a conflict", |writing| {
            must_be_allowed(writing, &[Act::Record])?;
            checklist_of(writing, check)?;
            must_be_open(writing, check)?;
            // A finding's field is named with its item behind it.
            let (entity, id, field) = match field.split_once(':') {
                Some((own @ ("severity" | "words"), item)) => {
                    (entity::FINDING, finding_id(check, item).0, own)
                }
                _ => (entity::CHECK, check.0, field),
            };
            let register = replica::register(writing, id, field)?;
            let kept =
                register.sides.iter().find(|side| side.rev.to_string() == keep && seen.contains(&side.rev));
            let kept = kept.filter(|_| register.in_conflict()).ok_or(Error::NotInConflict)?;
            put(writing, entity, id, field, kept.value.clone(), seen)?;
            Ok(())
        })?;
        self.check(check)
    }

    /// Writes a change beside what was signed; it wants a signature of its own. An item that fails by it is a finding,
    /// with the reason for its words.
    pub fn amend(&self, new: &NewAmendment) -> Result<CheckView, Error> {
        self.record("recording an amendment", |writing| {
            must_be_allowed(writing, &[Act::Record])?;
            let checklist = checklist_of(writing, new.check)?;
            if !replica::is_sealed(writing, new.check.0)? {
                return Err(Error::NotSealed);
            }
            if new.reason.trim().is_empty() {
                return Err(Error::NoReason);
            }
            brief(&new.reason)?;
            let registers = replica::registers(writing, new.check.0)?;
            checklist.accept(&new.item, &new.answer, &query::answers_in(&registers))?;
            let is_found = has_failed(writing, new.check, &new.item)?
                || query::was_amended_to_fail(writing, new.check, &new.item)?;
            let field = format!("{ANSWER}{}", new.item);
            let base = registers.get(&field).and_then(|register| Some(register.shown()?.rev));
            let amend = Amend { value: json(&new.answer)?, reason: new.reason.trim().to_owned() };
            let draft = Draft::set(entity::CHECK, new.check.0, field, json(&amend)?, base);
            writing.record(Draft { kind: Kind::Amend, ..draft })?;
            if new.answer.outcome == Outcome::Fail && !is_found {
                // Nobody has found it so far, and the office opens an issue for a finding. What was found before keeps its words:
                // the reason for a second amendment is none for the problem.
                let NewAmendment { check, item, reason, severity, .. } = new.clone();
                // Nobody is asked about what was signed: what an earlier fail of it said gives way.
                let seen = replica::registers(writing, finding_id(check, &item).0)?;
                let seen = seen.values().flat_map(|register| all(Some(register))).collect();
                say(writing, &NewFinding { check, item, severity, words: Some(reason), seen })?;
            }
            Ok(())
        })?;
        self.check(new.check)
    }
}
