//! Drops what follows from the log, and makes it again.

use super::fault::StoreError;
use super::log::COUNTS;
use super::sql::Word;
use super::{Store, log, project};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use standpipe_oplog::op::Kind;
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// Counted up whenever the same log gives other rows: a version that knows more entities, fields or kinds, say.
const PROJECTION: u32 = 6;

/// The tables that follow from the log.
pub const TABLES: [&str; 14] = [
    "apart",
    "member",
    "pin",
    "site",
    "place",
    "asset",
    "unit",
    "person",
    "round",
    "stop",
    "finding",
    "sign_off",
    "issue",
    "asset_text",
];

impl Store {
    /// Drops every projection and makes it again out of the log, in one transaction.
    pub fn rebuild(&self) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        rebuild(&mut writer)?;
        self.changed();
        Ok(())
    }
}

/// Rebuilds after an update that reads more out of the log than the version before it.
pub fn if_outdated(conn: &mut Connection) -> Result<(), StoreError> {
    let known: Option<String> = conn
        .query_row("SELECT value FROM fact WHERE name = 'projection'", [], |row| row.get(0))
        .optional()?;
    if known == Some(PROJECTION.to_string()) { Ok(()) } else { rebuild(conn) }
}

/// See [`Store::rebuild`].
pub fn rebuild(conn: &mut Connection) -> Result<(), StoreError> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in TABLES {
        let sql = match table {
            "asset_text" => "INSERT INTO asset_text (asset_text) VALUES ('delete-all')".to_owned(),
            table => format!("DELETE FROM {table}"),
        };
        transaction.execute(&sql, [])?;
    }
    replay(&transaction)?;
    transaction.execute(
        "INSERT OR REPLACE INTO fact (name, value) VALUES ('projection', ?1)",
        [PROJECTION.to_string()],
    )?;
    transaction.commit()?;
    Ok(())
}

/// Applies every operation again, in the order of arrival.
fn replay(conn: &Connection) -> Result<(), StoreError> {
    let mut touched = BTreeSet::new();
    let counting = format!("SELECT seq, body, hub_at, kind FROM op WHERE {COUNTS} ORDER BY seq");
    let mut statement = conn.prepare(&counting)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        let op = log::parse(body, row.get(2)?)?;
        // A kind that an earlier version did not know has its name now.
        if row.get::<_, Word<Kind>>(3)?.0 != op.kind {
            conn.prepare_cached("UPDATE op SET kind = ?2 WHERE seq = ?1")?
                .execute(params![row.get::<_, i64>(0)?, Word(op.kind)])?;
        }
        touched.extend(project::apply(conn, &op)?);
    }
    project::all(conn, touched)
}
