//! Which record stands in which: one in which another has its row is not gone, though it was deleted.

use crate::store::fault::StoreError;
use rusqlite::{Connection, OptionalExtension};
use standpipe_domain::ids::FindingId;
use standpipe_domain::record::{entity, issue_id};
use standpipe_oplog::replica::Touched;
use uuid::Uuid;

/// In which record this one stands by its row: an issue in its finding, a finding in its check, a check in its round. Not at
/// its asset: one that was taken down is gone from the building, and its checks stay.
pub fn is_in(conn: &Connection, entity: &str, id: Uuid) -> Result<Option<Touched>, StoreError> {
    let (around, sql) = match entity {
        entity::ISSUE => (entity::FINDING, "SELECT finding FROM issue WHERE id = ?1"),
        entity::FINDING => (entity::CHECK, "SELECT check_id FROM finding WHERE id = ?1"),
        entity::CHECK => (entity::ROUND, "SELECT round FROM stop WHERE id = ?1"),
        _ => return Ok(None),
    };
    let found: Option<Option<Uuid>> =
        conn.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(found.flatten().map(|id| Touched::new(around, id)))
}

/// Whether another record has its row in this one.
pub fn holds_any(conn: &Connection, entity: &str, id: Uuid) -> Result<bool, StoreError> {
    let (sql, key) = match entity {
        entity::FINDING => ("SELECT 1 FROM issue WHERE id = ?1", issue_id(FindingId(id)).0),
        entity::CHECK => ("SELECT 1 FROM finding WHERE check_id = ?1", id),
        entity::ROUND => ("SELECT 1 FROM stop WHERE round = ?1", id),
        _ => return Ok(false),
    };
    Ok(conn.prepare_cached(sql)?.exists([key])?)
}
