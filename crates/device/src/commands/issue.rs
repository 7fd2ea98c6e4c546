//! Steps in the life of an issue.

use super::{all, json, put, replaced};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::{query, replica};
use standpipe_domain::ids::IssueId;
use standpipe_domain::issue::{IssueView, Mover, NoStep, StepRequest, TimelineEntry};
use standpipe_domain::record::{entity, set};
use standpipe_oplog::pen::Draft;

impl Engine {
    /// Moves an issue on from what its author saw, with an entry in its timeline.
    ///
    /// # Errors
    /// The codes of [`standpipe_domain::issue::NoStep`].
    pub fn issue_step(&self, id: IssueId, request: &StepRequest) -> Result<IssueView, Error> {
        self.record("moving an issue on", |writing| {
            let identity = writing.identity()?.clone();
            let row = query::issue_row(writing, id)?.ok_or(Error::Unknown { what: "issue", id: id.0 })?;
            let registers = replica::registers(writing, id.0)?;
            let statuses = registers.get("status").map_or(&[][..], |register| &register.sides);
            let known = replaced(writing, id.0, "status", &request.seen)?;
            if let Some(side) = statuses.iter().find(|side| !known.contains(&side.rev)) {
                let by = query::person_name(writing, side.actor)?;
                return Err(NoStep::MovedOn { by }.into());
            }
            let roles = query::roles(writing, identity.person)?;
            let mover = Mover { person: identity.person, roles: &roles };
            let to = mover.may_take(request.step, row.status, row.claimed_by)?;
            let proof = replica::members(writing, id.0, set::PROOF)?;
            request.step.shown(identity.person, proof.into_iter().map(|side| side.actor))?;
            request.complete()?;
            for (field, value) in request.changes(to, identity.person) {
                put(writing, entity::ISSUE, id.0, field, value, &all(registers.get(field)))?;
            }
            let entry = TimelineEntry {
                step: Some(request.step),
                to,
                by: identity.person_name,
                at: writing.now(),
                unit: request.unit.map(|unit| query::unit_name(writing, unit)).transpose()?,
                person: request.person.map(|person| query::person_name(writing, person)).transpose()?,
                date: request.date,
                words: request.words.trim().to_owned(),
            };
            writing.record(Draft::add(entity::ISSUE, id.0, set::TIMELINE, json(&entry)?))?;
            Ok(())
        })?;
        self.issue(id)
    }
}
