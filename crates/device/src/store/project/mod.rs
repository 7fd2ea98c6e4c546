//! The typed tables, made from the registers. Each row follows from the log alone, whatever the order of arrival.

mod estate;
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
    sealed_by(op).chain([Touched { entity: op.entity.clone(), id: op.id }]).collect()
}

fn sealed_by(op: &Op) -> impl Iterator<Item = Touched> {
    let payload = if op.kind == Kind::Seal { SealPayload::of(&op.value) } else { None };
    let record = |covered: Covered<'_>| Touched { entity: covered.entity.to_owned(), id: covered.id };
    payload.into_iter().flat_map(move |payload| {
        let round = Touched { entity: entity::ROUND.into(), id: payload.round.0 };
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
    touched: BTreeSet<Touched>,
    at_hand: &AtHand<'_>,
) -> Result<(), StoreError> {
    let (places, others): (Vec<_>, Vec<_>) =
        touched.into_iter().partition(|touched| touched.entity == entity::PLACE);
    // What stands in a place is found by its path too, so places come first.
    for Touched { id, .. } in places {
        estate::place(conn, id, &at_hand.state(conn, id)?)?;
    }
    let (mut stops, mut rounds, mut texts) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for Touched { entity, id } in others {
        let state = || at_hand.state(conn, id);
        match entity.as_str() {
            entity::SITE => estate::site(conn, id, &state()?)?,
            entity::ASSET => texts.extend(estate::asset(conn, id, &state()?)?),
            entity::UNIT => estate::unit(conn, id, &state()?)?,
            entity::PERSON => estate::person(conn, id, &state()?)?,
            entity::ROUND => _ = rounds.insert(id),
            entity::CHECK => _ = stops.insert(id),
            entity::FINDING => stops.extend(stop::finding(conn, id, &state()?)?),
            entity::SIGN_OFF => stop::sign_off(conn, id)?,
            entity::ISSUE => issue::issue(conn, id, &state()?)?,
            // Of a later version: kept in the log until an update knows it.
            _ => {}
        }
    }
    // One behind the other: a statement between two has the full-text index write down what it holds in memory.
    texts.iter().try_for_each(|text| estate::index(conn, text))?;
    // From the inside out: a stop counts its findings, and what was deleted is not gone while something stands in it.
    let any_deleted = log::any_deleted(conn)?;
    let around = |check| if any_deleted { stop::round_of(conn, check) } else { Ok(None) };
    for check in stops {
        let before = around(check)?;
        stop::stop(conn, check, &at_hand.state(conn, check)?)?;
        for round in before.into_iter().chain(around(check)?) {
            if log::has_rare(conn, round, Kind::Delete)? {
                rounds.insert(round);
            }
        }
    }
    rounds.into_iter().try_for_each(|round| estate::round(conn, round, &at_hand.state(conn, round)?))
}

fn delete(conn: &Connection, sql: &str, id: Uuid) -> Result<(), StoreError> {
    conn.prepare_cached(sql)?.execute([id])?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value).map_err(Fault::Json)?)
}
