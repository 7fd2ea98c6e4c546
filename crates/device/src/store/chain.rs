//! Where the tablet's own chain stands.

use super::fault::StoreError;
use super::sql::{Hash, of_stamp, stamp};
use rusqlite::{Connection, OptionalExtension, params};
use standpipe_domain::ids::Sha256;
use standpipe_oplog::clock::Hlc;

/// The row of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub incarnation: u32,
    /// The sequence number of the last operation written; 0 before the first.
    pub last_seq: u64,
    pub last_hash: Sha256,
    /// Everything up to here is at the hub.
    pub acknowledged: u64,
    /// Everything up to here is in a backup of the hub.
    pub durable: u64,
    pub hlc: Hlc,
    pub clock_offset: Option<i64>,
}

pub fn load(conn: &Connection) -> Result<Option<Chain>, StoreError> {
    let row = conn
        .prepare_cached(
            "SELECT incarnation, last_seq, last_hash, acknowledged, durable, hlc, clock_offset FROM chain",
        )?
        .query_row([], |row| {
            Ok(Chain {
                incarnation: row.get(0)?,
                last_seq: row.get(1)?,
                last_hash: row.get::<_, Hash>(2)?.0,
                acknowledged: row.get(3)?,
                durable: row.get(4)?,
                hlc: of_stamp(row.get(5)?),
                clock_offset: row.get(6)?,
            })
        })
        .optional()?;
    Ok(row)
}

pub fn save(conn: &Connection, chain: &Chain) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO chain (one, incarnation, last_seq, last_hash, acknowledged, durable, hlc, clock_offset)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (one) DO UPDATE SET incarnation = ?1, last_seq = ?2, last_hash = ?3, acknowledged = ?4,
             durable = ?5, hlc = ?6, clock_offset = ?7",
    )?
    .execute(params![
        chain.incarnation,
        chain.last_seq,
        Hash(chain.last_hash),
        chain.acknowledged,
        chain.durable,
        stamp(chain.hlc),
        chain.clock_offset
    ])?;
    Ok(())
}
