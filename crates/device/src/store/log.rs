//! The log: every operation that this tablet wrote or heard of, in the order of arrival.

use super::fault::{Fault, StoreError};
use super::sql::{Hash, Word};
use rusqlite::{Connection, OptionalExtension, params};
use standpipe_domain::ids::{Millis, Sha256};
use standpipe_oplog::chain::Written;
use standpipe_oplog::op::{Kind, Op};
use uuid::Uuid;

/// How an operation came here.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// Written here, with its place in the tablet's own chain.
    Own { hash: Sha256 },
    /// Brought by a pull, with the hub's number and time of receipt.
    Hub { seq: u64, at: Millis },
}

/// Adds an operation.
pub fn append(conn: &Connection, op: &Op, body: &str, origin: Origin) -> Result<(), StoreError> {
    let (incarnation, dev_seq, hash, hub_seq, hub_at) = match origin {
        Origin::Own { hash } => (Some(op.incarnation), Some(op.dev_seq), Some(Hash(hash)), None, None),
        Origin::Hub { seq, at } => (None, None, None, Some(seq), Some(at.0)),
    };
    conn.prepare_cached(
        "INSERT INTO op (op_id, tx, entity, id, kind, field, incarnation, dev_seq, hash, hub_seq, hub_at, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        op.op_id, op.tx, op.entity, op.id, Word(op.kind), op.field, incarnation, dev_seq, hash, hub_seq, hub_at, body
    ])?;
    Ok(())
}

/// Adds an operation that the tablet's pen wrote.
pub fn append_own(conn: &Connection, written: &Written) -> Result<(), StoreError> {
    let (bytes, limit) = (written.body.len(), standpipe_oplog::wire::MAX_OP);
    if bytes > limit {
        return Err(Fault::TooLarge { bytes, limit }.into());
    }
    append(conn, &written.op, &written.body, Origin::Own { hash: written.hash })
}

/// Every operation on a record, in the order of arrival, each stamp as it counts at the hub.
pub fn ops_of(conn: &Connection, id: Uuid) -> Result<Vec<Op>, StoreError> {
    read(conn, "SELECT body, hub_at FROM op WHERE id = ?1 ORDER BY seq", id)
}

/// The operations on a record that are neither `set` nor `add`.
pub fn rare_ops_of(conn: &Connection, id: Uuid, kind: Kind) -> Result<Vec<Op>, StoreError> {
    // The condition of the partial index has to stand here in full.
    let sql = "SELECT body, hub_at, kind FROM op
               WHERE id = ?1 AND kind NOT IN ('set', 'add') ORDER BY seq";
    let mut ops = read(conn, sql, id)?;
    ops.retain(|op| op.kind == kind);
    Ok(ops)
}

/// Whether a record has an operation of this rare kind.
pub fn has_rare(conn: &Connection, id: Uuid, kind: Kind) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM op WHERE id = ?1 AND kind NOT IN ('set', 'add') AND kind = ?2")?
        .exists(params![id, Word(kind)])?)
}

fn read(conn: &Connection, sql: &str, id: Uuid) -> Result<Vec<Op>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([id])?;
    let mut ops = Vec::new();
    while let Some(row) = rows.next()? {
        ops.push(parse(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?, row.get(1)?)?);
    }
    Ok(ops)
}

/// The operation in a body. A stamp counts no more than five minutes past the hub's receipt, there as here.
pub fn parse(body: &str, hub_at: Option<i64>) -> Result<Op, StoreError> {
    let mut op: Op = serde_json::from_str(body).map_err(Fault::Json)?;
    if let Some(at) = hub_at {
        op.hlc = op.hlc.clamped(Millis(at));
    }
    Ok(op)
}

/// What the log says of one operation.
pub struct Held {
    pub seq: i64,
    pub hub_seq: Option<u64>,
}

/// Looks an operation up by its id.
pub fn held(conn: &Connection, op_id: Uuid) -> Result<Option<Held>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT seq, hub_seq FROM op WHERE op_id = ?1")?
        .query_row([op_id], |row| Ok(Held { seq: row.get(0)?, hub_seq: row.get(1)? }))
        .optional()?)
}

/// Writes down the hub's number of an operation that is held.
pub fn numbered(conn: &Connection, seq: i64, hub_seq: u64, at: Millis) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE op SET hub_seq = ?2, hub_at = ?3 WHERE seq = ?1")?
        .execute(params![seq, hub_seq, at.0])?;
    Ok(())
}
