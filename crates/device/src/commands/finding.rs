//! Findings: how bad a failed item is, in words.

use super::{checklist_of, json, must_be_allowed, must_be_open, put, says};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::{Writing, query, replica};
use serde_json::{Map, Value};
use standpipe_domain::answer::{Outcome, brief};
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{CheckId, FindingId};
use standpipe_domain::permission::Act;
use standpipe_domain::record::{entity, finding_id};
use standpipe_domain::tablet::{CheckView, NewFinding};
use standpipe_oplog::pen::Draft;

impl Engine {
    /// Records how bad a failed item is; only what changed is written.
    pub fn finding(&self, new: &NewFinding) -> Result<CheckView, Error> {
        self.record("recording a finding", |writing| {
            must_be_allowed(writing, &[Act::Record])?;
            checklist_of(writing, new.check)?;
            must_be_open(writing, new.check)?;
            brief(new.words.as_deref().unwrap_or_default())?;
            if !has_failed(writing, new.check, &new.item)? {
                return Err(Error::NotFailed);
            }
            say(writing, new)
        })?;
        self.check(new.check)
    }
}

/// Writes what changed of a finding.
pub(super) fn say(writing: &mut Writing<'_>, new: &NewFinding) -> Result<(), Error> {
    let id = begin(writing, new.check, &new.item)?;
    let registers = replica::registers(writing, id.0)?;
    let unsaid = registers.get("severity").is_none_or(|register| register.sides.is_empty());
    let severity = new.severity.or(unsaid.then_some(Severity::UNSAID));
    let severity = severity.map(|severity| json(&severity)).transpose()?;
    let words = new.words.as_ref().map(|words| Value::String(words.trim().to_owned()));
    for (field, value) in [("severity", severity), ("words", words)] {
        let Some(value) = value else { continue };
        if !says(registers.get(field), &value) {
            put(writing, entity::FINDING, id.0, field, value, &new.seen)?;
        }
    }
    Ok(())
}

/// Whether the shown answer of an item is a fail.
pub(super) fn has_failed(writing: &Writing<'_>, check: CheckId, item: &str) -> Result<bool, Error> {
    let answers = query::answers_in(&replica::registers(writing, check.0)?);
    Ok(answers.get(item).is_some_and(|answer| answer.outcome == Outcome::Fail))
}

/// The finding of an item, begun if it was not yet: it says to which item of which check it belongs, so that a photo
/// may come before the words.
pub(super) fn begin(writing: &mut Writing<'_>, check: CheckId, item: &str) -> Result<FindingId, Error> {
    let id = finding_id(check, item);
    // Where it was deleted, nobody who did that has seen this: it is there again, whatever is written besides.
    if !query::is_found(writing, id)? {
        let fields = Map::from_iter([
            ("check".to_owned(), json(&check)?),
            ("item".to_owned(), Value::String(item.to_owned())),
        ]);
        writing.record(Draft::record(entity::FINDING, id.0, fields))?;
    }
    Ok(id)
}
