//! The typed tables, made from the registers. Each row follows from the log alone, whatever the order of arrival.

mod estate;
mod issue;
mod stop;

use super::fault::{Fault, StoreError};
use super::replica::{OFFICE, Rows};
use super::sql::Json;
use super::{blobs, log};
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use standpipe_domain::evidence::Evidence;
use standpipe_domain::record::{self, entity, set};
use standpipe_oplog::merge::{Life, life};
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::replica::{self, Touched};
use standpipe_oplog::seal::{Covered, Jws};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Applies an operation that the log holds to registers and members, and tells which records it changed.
pub fn apply(conn: &Connection, op: &Op) -> Result<Vec<Touched>, StoreError> {
    // The site's record is written by the hub alone: it tells the hub's own device, which some merge rules prefer.
    if op.entity == entity::SITE && op.id == op.scope.0 {
        conn.prepare_cached("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)")?
            .execute(params![OFFICE, op.device.to_string()])?;
    }
    if op.kind == Kind::Add
        && matches!(op.field.as_deref(), Some(set::PHOTOS | set::PROOF))
        && let Ok(evidence) = Evidence::deserialize(&op.value)
    {
        blobs::put_mentioned(conn, &evidence)?;
    }
    replica::apply(&mut Rows::new(conn)?, op)
}

/// Makes everything that is shown of these records anew, because what counts of their operations has changed. Gives the
/// records whose rows are to be made.
pub fn again(conn: &Connection, records: &BTreeSet<Touched>) -> Result<BTreeSet<Touched>, StoreError> {
    // Also where nothing is left of a record.
    let mut touched = records.clone();
    for Touched { id, .. } in records {
        for table in ["reg", "member", "pin"] {
            conn.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?1"))?.execute([id])?;
        }
        for op in log::ops_of(conn, *id)? {
            touched.extend(apply(conn, &op)?);
        }
    }
    for seal in log::seals(conn)? {
        if sealed_by(&seal).any(|record| records.contains(&record)) {
            touched.extend(apply(conn, &seal)?);
        }
    }
    Ok(touched)
}

/// The records that an operation changes: its own, and what it seals.
pub fn records_of(op: &Op) -> BTreeSet<Touched> {
    sealed_by(op).chain([Touched { entity: op.entity.clone(), id: op.id }]).collect()
}

fn sealed_by(op: &Op) -> impl Iterator<Item = Touched> {
    let is_seal = op.kind == Kind::Seal;
    let payload =
        if is_seal { Jws::deserialize(&op.value).ok().and_then(|jws| jws.payload().ok()) } else { None };
    let record = |covered: Covered<'_>| Touched { entity: covered.entity.to_owned(), id: covered.id };
    payload.into_iter().flat_map(move |payload| payload.covered().map(record).collect::<Vec<_>>())
}

/// Makes the rows of every record in `touched` anew.
pub fn all(conn: &Connection, touched: BTreeSet<Touched>) -> Result<(), StoreError> {
    let mut stops = BTreeSet::new();
    for Touched { entity, id } in touched {
        match entity.as_str() {
            entity::SITE => estate::site(conn, id)?,
            entity::PLACE => estate::place(conn, id)?,
            entity::ASSET => estate::asset(conn, id)?,
            entity::UNIT => estate::unit(conn, id)?,
            entity::PERSON => estate::person(conn, id)?,
            entity::ROUND => estate::round(conn, id)?,
            entity::CHECK => _ = stops.insert(id),
            entity::FINDING => stops.extend(stop::finding(conn, id)?),
            entity::SIGN_OFF => stop::sign_off(conn, id)?,
            entity::ISSUE => issue::issue(conn, id)?,
            // Of a later version: kept in the log until an update knows it.
            _ => {}
        }
    }
    // A stop counts its findings, so they come first.
    stops.into_iter().try_for_each(|check| stop::stop(conn, check))
}

/// The typed record, or `None` while it is incomplete or after it was deleted.
fn record<T: DeserializeOwned>(conn: &Connection, id: Uuid) -> Result<Option<T>, StoreError> {
    if is_deleted(conn, id)? {
        return Ok(None);
    }
    Ok(record::read(id, fields(conn, id)?).ok())
}

fn is_deleted(conn: &Connection, id: Uuid) -> Result<bool, StoreError> {
    Ok(log::has_rare(conn, id, Kind::Delete)? && life(&log::ops_of(conn, id)?) == Life::Deleted)
}

fn fields(conn: &Connection, id: Uuid) -> Result<Map<String, Value>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT field, value FROM reg WHERE id = ?1")?;
    let fields = statement
        .query_map([id], |row| Ok((row.get(0)?, row.get::<_, Json<Value>>(1)?.0)))?
        .collect::<Result<_, _>>()?;
    Ok(fields)
}

fn delete(conn: &Connection, sql: &str, id: Uuid) -> Result<(), StoreError> {
    conn.prepare_cached(sql)?.execute([id])?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value).map_err(Fault::Json)?)
}
