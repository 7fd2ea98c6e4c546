//! What a screen may ask to be done: the domain says whether it may, one transaction does it.

mod answer;
mod draft;
mod finding;
mod issue;
mod photo;
mod sign;

pub use photo::Incomings;

use crate::error::Error;
use crate::store::{Fault, Writing, log, query, replica};
use rusqlite::Connection;
use serde_json::Value;
use standpipe_domain::checklist::{self, Checklist};
use standpipe_domain::ids::CheckId;
use standpipe_domain::permission::{Act, may_one};
use standpipe_oplog::merge::{self, Register};
use standpipe_oplog::op::{Kind, Op, Resolve, Saw};
use standpipe_oplog::pen::Draft;
use uuid::Uuid;

/// Refuses whoever may do none of these.
fn must_be_allowed(conn: &Connection, acts: &[Act]) -> Result<(), Error> {
    let person = query::identity(conn)?.ok_or(Fault::NotEnrolled)?.person;
    let roles = query::roles(conn, person)?;
    if may_one(&roles, acts) { Ok(()) } else { Err(Error::NotAllowed) }
}

/// The checklist of a check.
fn checklist_of(conn: &Connection, id: CheckId) -> Result<&'static Checklist, Error> {
    let (_, reference) = query::check_row(conn, id)?.ok_or(Error::Unknown { what: "check", id: id.0 })?;
    checklist::find(&reference).ok_or(Error::UnknownChecklist)
}

/// What was signed does not change.
fn must_be_open(conn: &Connection, id: CheckId) -> Result<(), Error> {
    if replica::is_sealed(conn, id.0)? { Err(Error::Sealed) } else { Ok(()) }
}

/// Writes a field, in place of what its author saw there. Whatever stands besides they have not seen, and it goes on
/// standing beside it.
fn put(
    writing: &mut Writing<'_>,
    entity: &'static str,
    id: Uuid,
    field: &str,
    value: Value,
    seen: &[Uuid],
) -> Result<Uuid, Error> {
    let draft = match replaced(writing, id, field, seen)?.as_slice() {
        [] => Draft::set(entity, id, field, value, None),
        [only] => Draft::set(entity, id, field, value, Some(*only)),
        several => {
            let resolve = Resolve { value, saw: several.to_vec() };
            Draft { kind: Kind::Resolve, ..Draft::set(entity, id, field, json(&resolve)?, None) }
        }
    };
    Ok(writing.record(draft)?)
}

/// Which operations somebody replaces who writes a field and saw `seen` of it.
fn replaced(writing: &mut Writing<'_>, id: Uuid, field: &str, seen: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let sides = all(Some(&replica::register(writing, id, field)?));
    if sides.iter().all(|rev| seen.contains(rev)) {
        return Ok(sides);
    }
    let identity = writing.identity()?;
    let own = (identity.device, identity.incarnation);
    let is_own = |op: &Op| (op.device, op.incarnation) == own;
    Ok(merge::replaced(&log::ops_of(writing, id)?, field, seen, is_own))
}

/// Whether a field says just this, and nothing else.
fn says(register: Option<&Register>, value: &Value) -> bool {
    register.is_some_and(|register| register.sides.len() == 1 && register.sides[0].value == *value)
}

/// Everything that stands in a field.
fn all(register: Option<&Register>) -> Vec<Uuid> {
    register.into_iter().flat_map(|register| &register.sides).map(|side| side.rev).collect()
}

/// Takes members out of a field that holds several.
fn take_out(
    writing: &mut Writing<'_>,
    entity: &'static str,
    id: Uuid,
    field: &str,
    saw: Vec<Uuid>,
) -> Result<(), Error> {
    let draft = Draft { kind: Kind::Remove, ..Draft::set(entity, id, field, json(&Saw { saw })?, None) };
    writing.record(draft)?;
    Ok(())
}

/// A value as it is read back once it is written, so that it can be compared with what was recorded: 2.0 is written as 2.
fn json(value: &impl serde::Serialize) -> Result<Value, Error> {
    let read_back = || serde_json::from_slice(&standpipe_oplog::canonical::bytes(value)?);
    read_back().map_err(|error| Fault::Json(error).into())
}
