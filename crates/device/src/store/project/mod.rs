//! The typed tables, made from the registers. Each row follows from the log alone, whatever the order of arrival.

mod estate;
mod inside;
mod issue;
mod state;
mod stop;

pub use state::AtHand;

use super::fault::{Fault, StoreError};
use super::replica::{OFFICE, Rows};
use super::{blobs, log};
use rusqlite::{Connection, params};
use serde::Deserialize;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::record::{entity, set};
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::replica::{self, Touched};
use standpipe_oplog::seal::{Covered, SealPayload};
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
        for table in ["apart", "member", "pin"] {
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
    sealed_by(op).chain([Touched::new(&op.entity, op.id)]).collect()
}

fn sealed_by(op: &Op) -> impl Iterator<Item = Touched> {
    let payload = if op.kind == Kind::Seal { SealPayload::of(&op.value) } else { None };
    let record = |covered: Covered<'_>| Touched::new(covered.entity, covered.id);
    payload.into_iter().flat_map(move |payload| {
        let round = Touched::new(entity::ROUND, payload.round.0);
        payload.covered().map(record).chain([round]).collect::<Vec<_>>()
    })
}

/// Makes the rows of every record in `touched` anew.
pub fn all(conn: &Connection, touched: BTreeSet<Touched>) -> Result<(), StoreError> {
    all_with(conn, touched, &AtHand::default())
}

/// As [`all`], without reading what is at hand.
pub fn all_with(
    conn: &Connection,
    mut touched: BTreeSet<Touched>,
    at_hand: &AtHand<'_>,
) -> Result<(), StoreError> {
    // Whether a deleted record is gone follows from what is left in it.
    let any_deleted = log::any_deleted(conn)?;
    let mut texts = Vec::new();
    while let Some(Touched { entity, id }) = touched.pop_first() {
        let around = || if any_deleted { inside::is_in(conn, &entity, id) } else { Ok(None) };
        let before = around()?;
        let state = || at_hand.state(conn, &entity, id);
        match entity.as_str() {
            entity::SITE => estate::site(conn, id, &state()?)?,
            entity::PLACE => estate::place(conn, id, &state()?)?,
            entity::ASSET => texts.extend(estate::asset(conn, id, &state()?)?),
            entity::UNIT => estate::unit(conn, id, &state()?)?,
            entity::PERSON => estate::person(conn, id, &state()?)?,
            entity::ROUND => estate::round(conn, id, &state()?)?,
            entity::CHECK => stop::stop(conn, id, &state()?)?,
            // A stop counts its findings.
            entity::FINDING => {
                let checks = stop::finding(conn, id, &state()?)?.into_iter();
                touched.extend(checks.map(|check| Touched::new(entity::CHECK, check)));
            }
            entity::SIGN_OFF => stop::sign_off(conn, id)?,
            entity::ISSUE => issue::issue(conn, id, &state()?)?,
            // Of a later version: kept in the log until an update knows it.
            _ => {}
        }
        for record in before.into_iter().chain(around()?) {
            if log::has_rare(conn, record.id, Kind::Delete)? {
                touched.insert(record);
            }
        }
    }
    // One behind the other: a statement between two has the full-text index write down what it holds in memory.
    texts.iter().try_for_each(|text| estate::index(conn, text))
}

fn delete(conn: &Connection, sql: &str, id: Uuid) -> Result<(), StoreError> {
    conn.prepare_cached(sql)?.execute([id])?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value).map_err(Fault::Json)?)
}
