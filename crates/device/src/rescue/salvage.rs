//! What a damaged file still holds, written into a fresh one.

use super::pages::Pages;
use super::rows::{Row, in_page};
use super::{FOUND, TOLD};
use crate::store::blobs::{self, Role, UploadKey};
use crate::store::{Fault, PULLS_ANEW, StoreError, chain, log, open, outbox, query, rebuild};
use crate::vault::{Vault, VaultError};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde::Deserialize;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::record::set;
use standpipe_domain::tablet::Rescue;
use standpipe_oplog::chain::{START, link};
use standpipe_oplog::op::Op;
use std::path::Path;

/// Makes a fresh database at `fresh` with everything that the damaged one at `aside` still holds.
pub fn into_fresh(fresh: &Path, aside: &Path, folder: &Path) -> Result<(), StoreError> {
    let pages = Pages::open(aside).map_err(VaultError::io("reading", aside))?;
    let mut conn = open::writer(fresh)?;
    open::migrate(&mut conn)?;
    let transaction = conn.transaction()?;
    for page in 1..=pages.count {
        for row in in_page(&pages, page) {
            keep(&transaction, row)?;
        }
    }
    mend_chain(&transaction)?;
    transaction.commit()?;
    rebuild::rebuild(&mut conn)?;
    let transaction = conn.transaction()?;
    find_photos(&transaction, &Vault::at(folder))?;
    write_report(&transaction, aside)?;
    transaction.commit()?;
    // All of it is in the one file then, which can be moved.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    conn.close().map_err(|(_, error)| StoreError::from(error))
}

/// Tells by its shape of which table a row is, and keeps it if it is of one that cannot be made again.
fn keep(conn: &Connection, Row { rowid, columns }: Row) -> Result<(), StoreError> {
    use Value::{Blob, Integer, Null, Text};
    let Some(rowid) = rowid else { return keep_mark(conn, &columns) };
    let sql = match columns.as_slice() {
        [Null, Blob(op_id), Blob(_), Text(_), Blob(_), Text(_), _, _, _, _, _, _, Text(body)] => {
            if !is_op(op_id, body) {
                return Ok(());
            }
            // The hub's numbers are left out: everything is pulled again, and with it what was lost here.
            "INSERT OR IGNORE INTO op
                 (seq, op_id, tx, entity, id, kind, field, incarnation, dev_seq, hash, hub_at, body)
             VALUES (?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?13, ?14)"
        }
        [Null, Integer(_), Integer(_), Blob(_), Integer(_), Integer(_), Integer(_), _] => {
            "INSERT OR IGNORE INTO chain VALUES (?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        }
        [Null, Text(_), Text(_), Blob(_), Blob(_), Blob(_), Text(_), Blob(_), Text(_), Text(_)] => {
            "INSERT OR IGNORE INTO identity VALUES (?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        }
        [Blob(_), Text(_), Text(_), Integer(_)] => "INSERT OR IGNORE INTO set_aside VALUES (?2, ?3, ?4, ?5)",
        [Blob(_), Text(_), Blob(_), Integer(_), Blob(_), Text(_), Integer(_), _, _, Integer(_)] => {
            "INSERT OR IGNORE INTO upload VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        }
        // Of two that were typed under one name the later stands.
        [Text(_), Text(_), Integer(_)] => {
            "INSERT INTO draft VALUES (?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET text = excluded.text, at = excluded.at WHERE excluded.at > at"
        }
        // Of what was said of one thing the later, and where that is not to be told, what asks for somebody.
        [Blob(_), Blob(_), Text(_), Integer(_), Integer(_)] => {
            "INSERT INTO seen_to VALUES (?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (what) DO UPDATE SET person = excluded.person, name = excluded.name, at = excluded.at,
                 stands = excluded.stands
                 WHERE excluded.at > at OR excluded.at = at AND excluded.stands < stands"
        }
        [Text(_), Integer(_), Integer(_)] => {
            "INSERT INTO choice VALUES (?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET chosen = excluded.chosen, at = excluded.at WHERE excluded.at > at"
        }
        _ => return Ok(()),
    };
    // Numbered as they lie: 1 is the row's id, 2 the first column.
    let mut statement = conn.prepare_cached(sql)?;
    let values = std::iter::once(Integer(rowid)).chain(columns).take(statement.parameter_count());
    match statement.execute(params_from_iter(values)) {
        // A row of the right shape that does not fit the table was not one of it.
        Err(rusqlite::Error::SqliteFailure(error, _))
            if error.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            Ok(())
        }
        other => Ok(other.map(drop)?),
    }
}

/// The hub's marks under what it took. What the hub has comes with its mark once more; what it lost, it takes back by the
/// mark alone.
fn keep_mark(conn: &Connection, columns: &[Value]) -> Result<(), StoreError> {
    let [Value::Blob(op_id), Value::Text(mark)] = columns else { return Ok(()) };
    if op_id.len() == 16 {
        conn.prepare_cached("INSERT OR IGNORE INTO receipt (op_id, mark) VALUES (?1, ?2)")?
            .execute(params![op_id, mark])?;
    }
    Ok(())
}

fn is_op(op_id: &[u8], body: &str) -> bool {
    serde_json::from_str::<Op>(body).is_ok_and(|op| op.op_id.as_bytes() == op_id)
}

/// What was not acknowledged must go on to be pushed. Where the chain has a hole, what stands behind it is numbered
/// anew, as the next incarnation: the hub would wait for what is lost for ever.
fn mend_chain(conn: &Connection) -> Result<(), StoreError> {
    let Some(known) = chain::load(conn)?.map_or_else(|| last_chain(conn), |chain| Ok(Some(chain)))? else {
        return Ok(());
    };
    chain::save(conn, &known)?;
    // Without its identity the tablet is enrolled again, and numbers everything anew then.
    let Some(identity) = query::identity(conn)? else { return Ok(()) };
    if is_whole(conn, &known)? {
        return Ok(());
    }
    outbox::renumber(conn, &known, known.incarnation + 1, &identity, true).map(drop)
}

/// The chain out of its operations, where its own row is lost. Nothing counts as acknowledged: the hub knows better.
fn last_chain(conn: &Connection) -> Result<Option<chain::Chain>, StoreError> {
    let last: Option<(u32, u64, String)> = conn
        .query_row(
            "SELECT incarnation, dev_seq, body FROM op WHERE dev_seq IS NOT NULL
             ORDER BY incarnation DESC, dev_seq DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let Some((incarnation, last_seq, body)) = last else { return Ok(None) };
    Ok(Some(chain::Chain {
        incarnation,
        last_seq,
        last_hash: outbox::hash_at(conn, incarnation, last_seq)?,
        acknowledged: 0,
        durable: 0,
        hlc: log::parse(&body, None)?.hlc,
        clock_offset: None,
    }))
}

/// Whether every operation that is still to be pushed is there, each fitting behind the one before.
fn is_whole(conn: &Connection, chain: &chain::Chain) -> Result<bool, StoreError> {
    let mut statement = conn
        .prepare("SELECT dev_seq, body FROM op WHERE incarnation = ?1 AND dev_seq > ?2 ORDER BY dev_seq")?;
    let mut rows = statement.query(params![chain.incarnation, chain.acknowledged])?;
    let mut seq = chain.acknowledged;
    let mut hash = outbox::hash_at(conn, chain.incarnation, seq)?;
    if seq > 0 && hash == START {
        return Ok(false);
    }
    while let Some(row) = rows.next()? {
        seq += 1;
        if row.get::<_, u64>(0)? != seq {
            return Ok(false);
        }
        hash = link(hash, row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?);
    }
    Ok(seq == chain.last_seq && hash == chain.last_hash)
}

/// Which photos are here follows from the vault. All of them are offered again unless it is known that they went up: who
/// took one cannot be told where the enrolment is lost, and one that the office has costs a question.
fn find_photos(conn: &Connection, vault: &Vault) -> Result<(), StoreError> {
    let mut statement =
        conn.prepare("SELECT body, op_id FROM op WHERE kind = 'add' AND field IN (?1, ?2) ORDER BY seq")?;
    let mut rows = statement.query([set::PHOTOS, set::PROOF])?;
    while let Some(row) = rows.next()? {
        let op: Op = serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)
            .map_err(Fault::Json)?;
        let Ok(evidence) = Evidence::deserialize(&op.value) else { continue };
        let original = vault.path(evidence.sha256, Role::Original);
        if !original.metadata().is_ok_and(|file| file.len() == evidence.bytes) {
            continue;
        }
        blobs::put_here(conn, evidence.sha256)?;
        let key = UploadKey { of: evidence.sha256, role: Role::Original };
        blobs::put_upload(conn, key, evidence.sha256, evidence.bytes, row.get(1)?, op.device_time)?;
    }
    // So it is asked before bytes are sent.
    conn.execute("UPDATE upload SET state = 'created' WHERE state = 'waiting'", [])?;
    Ok(())
}

fn write_report(conn: &Connection, aside: &Path) -> Result<(), StoreError> {
    let (rescued, last): (u32, Option<u32>) =
        conn.query_row("SELECT count(*), max(seq) FROM op", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let copy = aside.display().to_string();
    let report = Rescue { rescued, unreadable: last.unwrap_or(rescued) - rescued, copy };
    let report = serde_json::to_string(&report).map_err(Fault::Json)?;
    conn.execute("DELETE FROM fact WHERE name = ?1", [TOLD])?;
    let mut fact = conn.prepare("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)")?;
    fact.execute([FOUND, &report])?;
    fact.execute([PULLS_ANEW, ""])?;
    Ok(())
}
