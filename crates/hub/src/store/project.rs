//! From operations to rows. Both the hub's append and a rebuild go through here, so both give the same rows.

use super::ledger::{Ledger, Projected};
use super::records::{SignOffRow, answer_now, answer_shown};
use super::{Doing, StoreError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use standpipe_domain::answer::{Answer, Outcome, Tally};
use standpipe_domain::checklist;
use standpipe_domain::ids::{CheckId, Millis, SiteId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::{entity, read};
use standpipe_domain::round::Check;
use standpipe_oplog::chain::Written;
use standpipe_oplog::merge::is_gone;
use standpipe_oplog::op::Op;
use standpipe_oplog::replica::{self, Touched};
use standpipe_oplog::seal;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Counted up whenever the same log gives other rows, registers or kinds: a version that knows more entities, fields or kinds,
/// say. The tablet counts for itself.
pub const PROJECTION: u32 = 4;

/// Takes an operation into the log and its registers. Gives the records whose rows are to be made anew.
pub fn enter(ledger: &mut dyn Ledger, written: &Written, at: Millis) -> Result<Vec<Touched>, StoreError> {
    ledger.append(written, at)?;
    replay(ledger, &written.op, at)
}

/// Takes an operation that the log holds into its registers.
pub fn replay(ledger: &mut dyn Ledger, op: &Op, at: Millis) -> Result<Vec<Touched>, StoreError> {
    // A tablet whose clock is years ahead must not decide which text stands first for years.
    match op.hlc.clamped(at) {
        hlc if hlc == op.hlc => replica::apply(ledger, op),
        hlc => replica::apply(ledger, &Op { hlc, ..op.clone() }),
    }
}

/// Makes the rows of records anew, out of their registers.
pub fn project(
    ledger: &mut dyn Ledger,
    scope: SiteId,
    touched: impl IntoIterator<Item = Touched>,
) -> Result<(), StoreError> {
    let mut due: BTreeSet<Touched> = touched.into_iter().collect();
    // Whether a finding is live follows from an answer of its check.
    for check in due.clone().into_iter().filter(|touched| touched.entity == entity::CHECK) {
        for finding in ledger.findings_of(CheckId(check.id))? {
            due.insert(Touched::new(entity::FINDING, finding.0));
        }
    }
    // Whether a deleted record is gone follows from what is left in it.
    let any_deleted = ledger.any_tombstone()?;
    while let Some(Touched { entity, id }) = due.pop_first() {
        let before = if any_deleted { ledger.is_in(&entity, id)? } else { None };
        match row(ledger, &entity, id)? {
            Some(row) => ledger.put_row(scope, &row)?,
            None => ledger.drop_row(&entity, id)?,
        }
        let after = if any_deleted { ledger.is_in(&entity, id)? } else { None };
        for record in before.into_iter().chain(after) {
            if ledger.has_tombstone(record.id)? {
                due.insert(record);
            }
        }
    }
    Ok(())
}

/// The row of a record; `None` when it was deleted, or its fields do not make a record (yet).
fn row(ledger: &mut dyn Ledger, entity: &str, id: Uuid) -> Result<Option<Projected>, StoreError> {
    if entity == entity::SIGN_OFF {
        return sign_off(ledger, id);
    }
    if ledger.has_tombstone(id)?
        && is_gone(&ledger.ops_of(id)?, ledger.is_sealed(id)?)
        && !ledger.holds_any(entity, id)?
    {
        return Ok(None);
    }
    let fields = ledger.shown(id)?;
    Ok(match entity {
        entity::SITE => typed(id, fields).map(Projected::Site),
        entity::PLACE => typed(id, fields).map(Projected::Place),
        entity::ASSET => typed(id, fields).map(Projected::Asset),
        entity::UNIT => typed(id, fields).map(Projected::Unit),
        entity::PERSON => typed(id, fields).map(Projected::Person),
        entity::ROUND => typed(id, fields).map(Projected::Round),
        entity::CHECK => check(id, fields),
        entity::FINDING => finding(ledger, id, fields)?,
        entity::ISSUE => match typed(id, fields) {
            Some(issue) => Some(Projected::Issue { issue, changed: ledger.changed_at(id)? }),
            None => None,
        },
        // Of a later version: the log keeps it.
        _ => None,
    })
}

// A record that lacks a field, or has one of a later shape, is not shown; its operations wait in the log.
fn typed<T: DeserializeOwned>(id: Uuid, fields: Map<String, Value>) -> Option<T> {
    read(id, fields).ok()
}

fn outcome(answer: &Value) -> Option<Outcome> {
    serde_json::from_value(answer.get("outcome")?.clone()).ok()
}

fn check(id: Uuid, fields: Map<String, Value>) -> Option<Projected> {
    let outcomes: Vec<(String, Outcome)> = fields
        .iter()
        .filter_map(|(field, value)| Some((field.strip_prefix(ANSWER)?.to_owned(), outcome(value)?)))
        .collect();
    let check: Check = typed(id, fields)?;
    let outcomes = outcomes.iter().map(|(item, outcome)| (item.as_str(), *outcome));
    let Tally { items, answered, failed } = Tally::of(checklist::find(&check.checklist), outcomes);
    Some(Projected::Check { items, answered, failed, check })
}

fn finding(
    ledger: &mut dyn Ledger,
    id: Uuid,
    fields: Map<String, Value>,
) -> Result<Option<Projected>, StoreError> {
    let Some(finding) = typed::<standpipe_domain::record::Finding>(id, fields) else { return Ok(None) };
    let fails = |answer: Option<Answer>| answer.is_some_and(|answer| answer.outcome == Outcome::Fail);
    // What was signed as a fail stays in sight, whatever an amendment says.
    let live = fails(answer_shown(ledger, finding.check, &finding.item)?)
        || fails(answer_now(ledger, finding.check, &finding.item)?);
    Ok(Some(Projected::Finding { finding, live }))
}

/// The seal as it came, with the hub's signature beside the tablet's.
fn sign_off(ledger: &mut dyn Ledger, id: Uuid) -> Result<Option<Projected>, StoreError> {
    let Some((mut jws, seq, received)) = ledger.seal_of(id)? else { return Ok(None) };
    let Ok(payload) = jws.payload() else { return Ok(None) };
    let hub = ledger.identity();
    seal::countersign(&mut jws, hub.device, &hub.key, received, seq).reading("countersigning a seal")?;
    Ok(Some(Projected::SignOff(SignOffRow {
        id: payload.sign_off,
        round: payload.round,
        unit: payload.unit,
        jws,
        seq,
    })))
}
