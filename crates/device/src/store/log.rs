//! The log: every operation that this tablet wrote or heard of, in the order of arrival.

use super::chain;
use super::fault::{Fault, StoreError};
use super::outbox::hash_at;
use super::sql::{Hash, Word};
use rusqlite::{Connection, OptionalExtension, params};
use standpipe_domain::ids::{Millis, Sha256};
use standpipe_oplog::chain::{Written, link};
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::wire::Numbered;
use uuid::Uuid;

/// What the office set aside is kept, and does not count: otherwise this tablet would show what nobody else does.
pub const COUNTS: &str = "NOT EXISTS (SELECT 1 FROM set_aside WHERE set_aside.op_id = op.op_id)";

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
    insert(conn, INSERT, op, body, origin)?;
    Ok(())
}

/// Adds an operation, unless the log holds one of its id. Whether it was added.
pub fn append_new(conn: &Connection, op: &Op, body: &str, origin: Origin) -> Result<bool, StoreError> {
    Ok(insert(conn, INSERT_NEW, op, body, origin)? > 0)
}

macro_rules! insert {
    () => {
        "INSERT INTO op (op_id, tx, entity, id, kind, field, incarnation, dev_seq, hash, hub_seq, hub_at, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    };
}
const INSERT: &str = insert!();
const INSERT_NEW: &str = concat!(insert!(), " ON CONFLICT (op_id) DO NOTHING");

fn insert(conn: &Connection, sql: &str, op: &Op, body: &str, origin: Origin) -> Result<usize, StoreError> {
    let (incarnation, dev_seq, hash, hub_seq, hub_at) = match origin {
        Origin::Own { hash } => (Some(op.incarnation), Some(op.dev_seq), Some(Hash(hash)), None, None),
        Origin::Hub { seq, at } => (None, None, None, Some(seq), Some(at.0)),
    };
    Ok(conn.prepare_cached(sql)?.execute(params![
        op.op_id,
        op.tx,
        op.entity,
        op.id,
        Word(op.kind),
        op.field,
        incarnation,
        dev_seq,
        hash,
        hub_seq,
        hub_at,
        body
    ])?)
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
    read(conn, &format!("SELECT body, hub_at FROM op WHERE id = ?1 AND {COUNTS} ORDER BY seq"), id)
}

/// The operations that wrote several fields of a record at once, in the order of arrival.
pub fn whole_ops_of(conn: &Connection, id: Uuid) -> Result<Vec<Op>, StoreError> {
    let sql = format!(
        "SELECT body, hub_at FROM op WHERE id = ?1 AND kind = 'set' AND field IS NULL AND {COUNTS} ORDER BY seq"
    );
    read(conn, &sql, id)
}

/// The operations on a record that are neither `set` nor `add`.
pub fn rare_ops_of(conn: &Connection, id: Uuid, kind: Kind) -> Result<Vec<Op>, StoreError> {
    // The condition of the partial index has to stand here in full.
    let sql = format!(
        "SELECT body, hub_at, kind FROM op WHERE id = ?1 AND kind NOT IN ('set', 'add') AND {COUNTS} ORDER BY seq"
    );
    let mut ops = read(conn, &sql, id)?;
    ops.retain(|op| op.kind == kind);
    Ok(ops)
}

/// Every seal, in the order in which the hub received them; behind them those that it has not.
pub fn seals(conn: &Connection) -> Result<Vec<Op>, StoreError> {
    let sql = format!(
        "SELECT body, hub_at FROM op WHERE kind NOT IN ('set', 'add') AND kind = ?1 AND {COUNTS}
         ORDER BY hub_at IS NULL, hub_at, op_id"
    );
    read(conn, &sql, Word(Kind::Seal))
}

/// Whether a record has an operation of this rare kind.
pub fn has_rare(conn: &Connection, id: Uuid, kind: Kind) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT 1 FROM op WHERE id = ?1 AND kind NOT IN ('set', 'add') AND kind = ?2 AND {COUNTS}"
        ))?
        .exists(params![id, Word(kind)])?)
}

/// Whether anybody ever deleted anything.
pub fn any_deleted(conn: &Connection) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM op WHERE kind = 'delete'")?.exists([])?)
}

fn read(conn: &Connection, sql: &str, of: impl rusqlite::ToSql) -> Result<Vec<Op>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([of])?;
    let mut ops = Vec::new();
    while let Some(row) = rows.next()? {
        ops.push(parse(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?, row.get(1)?)?);
    }
    Ok(ops)
}

/// Whether the log holds anything on a record.
pub fn has_any(conn: &Connection, id: Uuid) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM op WHERE id = ?1")?.exists([id])?)
}

/// The operation in a body. A stamp counts no more than five minutes past the hub's receipt, there as here.
pub fn parse(body: &str, hub_at: Option<i64>) -> Result<Op, StoreError> {
    let mut op: Op = serde_json::from_str(body).map_err(Fault::Json)?;
    if let Some(at) = hub_at {
        op.hlc = op.hlc.clamped(Millis(at));
    }
    Ok(op)
}

/// The operation of that id, where the log holds it.
pub fn op(conn: &Connection, op_id: Uuid) -> Result<Option<Op>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT body, hub_at FROM op WHERE op_id = ?1")?;
    let row: Option<(String, Option<i64>)> =
        statement.query_row([op_id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    row.map(|(body, hub_at)| parse(&body, hub_at)).transpose()
}

/// What the log says of one operation.
pub struct Held {
    pub seq: i64,
    pub hub_seq: Option<u64>,
    pub hub_at: Option<Millis>,
    pub body: Box<str>,
    /// It was recorded on this tablet, and stands in one of its chains.
    pub is_own: bool,
}

/// Looks an operation up by its id.
pub fn held(conn: &Connection, op_id: Uuid) -> Result<Option<Held>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT seq, hub_seq, hub_at, body, dev_seq IS NOT NULL FROM op WHERE op_id = ?1")?
        .query_row([op_id], |row| {
            let hub_at: Option<i64> = row.get(2)?;
            let (hub_seq, hub_at) = (row.get(1)?, hub_at.map(Millis));
            Ok(Held { seq: row.get(0)?, hub_seq, hub_at, body: row.get(3)?, is_own: row.get(4)? })
        })
        .optional()?)
}

/// Adds an operation that stands in no chain yet. Gives its place.
pub fn append_loose(conn: &Connection, op: &Op, body: &str) -> Result<i64, StoreError> {
    conn.prepare_cached(
        "INSERT INTO op (op_id, tx, entity, id, kind, field, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![op.op_id, op.tx, op.entity, op.id, Word(op.kind), op.field, body])?;
    Ok(conn.last_insert_rowid())
}

/// Says of an operation that is held what it changes by now: its body is about to be another one.
pub fn rename(conn: &Connection, seq: i64, op: &Op) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE op SET tx = ?2, entity = ?3, id = ?4, kind = ?5, field = ?6 WHERE seq = ?1")?
        .execute(params![seq, op.tx, op.entity, op.id, Word(op.kind), op.field])?;
    Ok(())
}

/// Takes the hub's copy of an operation that is held: another of this tablet's lives may have brought it there, with
/// another number in its chain. What waits in this chain from there on is hashed anew.
pub fn adopt(conn: &Connection, seq: i64, body: &str) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE op SET body = ?2 WHERE seq = ?1")?.execute(params![seq, body])?;
    let Some(mut chain) = chain::load(conn)? else { return Ok(()) };
    let place: Option<u64> = conn
        .prepare_cached("SELECT dev_seq FROM op WHERE seq = ?1 AND incarnation = ?2 AND dev_seq > ?3")?
        .query_row(params![seq, chain.incarnation, chain.acknowledged], |row| row.get(0))
        .optional()?;
    let Some(place) = place else { return Ok(()) };
    chain.last_hash = hash_at(conn, chain.incarnation, place - 1)?;
    let waiting: Vec<(i64, String)> = conn
        .prepare_cached("SELECT seq, body FROM op WHERE incarnation = ?1 AND dev_seq >= ?2 ORDER BY dev_seq")?
        .query_map(params![chain.incarnation, place], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (seq, body) in waiting {
        chain.last_hash = link(chain.last_hash, &body);
        conn.prepare_cached("UPDATE op SET hash = ?2 WHERE seq = ?1")?
            .execute(params![seq, Hash(chain.last_hash)])?;
    }
    chain::save(conn, &chain)
}

/// Keeps the hub's mark under an operation.
pub fn put_receipt(conn: &Connection, one: &Numbered) -> Result<(), StoreError> {
    if let Some(mark) = &one.receipt {
        conn.prepare_cached("INSERT OR REPLACE INTO receipt (op_id, mark) VALUES (?1, ?2)")?
            .execute(params![one.op.op_id, mark])?;
    }
    Ok(())
}

/// Writes down the hub's number of an operation that is held.
pub fn numbered(conn: &Connection, seq: i64, hub_seq: u64, at: Millis) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE op SET hub_seq = ?2, hub_at = ?3 WHERE seq = ?1")?
        .execute(params![seq, hub_seq, at.0])?;
    Ok(())
}
