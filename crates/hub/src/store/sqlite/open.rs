//! Opening the file: its settings, its migrations, and who this hub is.

use crate::store::{Doing, Identity, PROJECTION, StoreError};
use crate::world::World;
use ed25519_dalek::SigningKey;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use standpipe_domain::ids::{DeviceId, Millis};
use standpipe_oplog::checksum::Checksum;
use std::path::Path;
use uuid::Uuid;

/// The version that this program makes.
pub(super) const KNOWN: u32 = 10;
/// With this one, checksums count something else than before.
const SUMS: u32 = 2;
/// Numbered from 1, only ever added to.
const MIGRATIONS: [&str; KNOWN as usize] = [
    include_str!("../../../../../migrations/hub/sqlite/0001_hub.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0002_sums.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0003_upload.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0004_backup.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0005_backups.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0006_filing.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0007_seen.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0008_projection.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0009_losses.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0010_deleted.sql"),
];

/// Opens the file for writing, or makes it. A file of a newer version is left as it is.
pub(in crate::store) fn open(path: &Path, world: &dyn World) -> Result<(Connection, Identity), StoreError> {
    if path.exists() {
        match read_only(path).and_then(|connection| refuse_newer(&connection)) {
            Err(error @ StoreError::Newer { .. }) => return Err(error),
            // Power failed while a journal was in use, as in the first start after a restore: only who may write can roll it
            // back. Whatever else is wrong is met again.
            Err(_) => drop(refuse_newer(&Connection::open(path).doing("opening the database")?)?),
            Ok(_) => {}
        }
    }
    let mut connection = Connection::open(path).doing("opening the database")?;
    settings(&connection).doing("setting the database up")?;
    migrate(&mut connection)?;
    let identity = identity(&connection, world)?;
    let over = "DELETE FROM session WHERE expires <= ?1";
    connection.execute(over, [world.now().0]).doing("forgetting sessions that are over")?;
    Ok((connection, identity))
}

/// Opens the file for reading only.
pub(super) fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).doing("opening the database for reading")?;
    connection.pragma_update(None, "busy_timeout", 5_000).doing("setting the database up")?;
    tune(&connection).doing("setting the database up")?;
    Ok(connection)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "busy_timeout", 5_000)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // What was acknowledged must outlive a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    // What a push touches lies all over the indexes: with the 2 MB that SQLite takes by itself it was read again and
    // again. In KiB.
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    // What a savepoint needs to go back would otherwise be written into a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    // Pages: 32 MiB. The fewer checkpoints, the fewer times the same page of an index is written.
    connection.pragma_update(None, "wal_autocheckpoint", 8 * 1024)?;
    // In bytes. All rows that are made anew at once make the log as large as themselves: it gives that room back.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    tune(connection)
}

/// Keeps statements prepared. A plan must not depend on the values that are bound: SQLite would prepare such a statement
/// anew each time it comes out of the cache. That took 31 % of the hub's time while records were pushed.
fn tune(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn version(connection: &Connection) -> Result<u32, StoreError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .doing("reading the database's version")
}

pub(super) fn refuse_newer(connection: &Connection) -> Result<u32, StoreError> {
    let found = version(connection)?;
    if found > KNOWN { Err(StoreError::Newer { found, known: KNOWN }) } else { Ok(found) }
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found = refuse_newer(connection)?;
    for (number, sql) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
        let doing = "migrating the database";
        let transaction = connection.transaction().doing(doing)?;
        transaction.execute_batch(sql).doing(doing)?;
        if number == SUMS {
            add_up(&transaction).doing(doing)?;
        }
        transaction.pragma_update(None, "user_version", number).doing(doing)?;
        transaction.commit().doing(doing)?;
    }
    Ok(())
}

/// Writes the sum up to it beside each operation of the log.
fn add_up(connection: &Connection) -> rusqlite::Result<()> {
    let mut ops =
        connection.prepare("SELECT scope, seq, op_id, received, body FROM op ORDER BY scope, seq")?;
    let mut put = connection.prepare("UPDATE op SET checksum = ?3 WHERE scope = ?1 AND seq = ?2")?;
    let mut rows = ops.query([])?;
    let (mut of, mut sum) = (Uuid::nil(), Checksum::default());
    while let Some(row) = rows.next()? {
        let (scope, seq): (Uuid, u64) = (row.get(0)?, row.get(1)?);
        if scope != of {
            (of, sum) = (scope, Checksum::default());
        }
        sum = sum + Checksum::of(row.get(2)?, Millis(row.get(3)?), row.get_ref(4)?.as_str()?);
        put.execute((scope, seq, sum.0.cast_signed()))?;
    }
    Ok(())
}

/// Who this hub is; a fresh identity where the database has none.
fn identity(connection: &Connection, world: &dyn World) -> Result<Identity, StoreError> {
    if let Some(identity) = stored_identity(connection)? {
        return Ok(identity);
    }
    let mut key = [0; 32];
    world.random(&mut key);
    let identity =
        Identity { device: DeviceId(world.uuid()), key: SigningKey::from_bytes(&key), epoch: world.uuid() };
    connection
        .execute(
            "INSERT INTO hub (one, device, key, epoch, projection) VALUES (1, ?, ?, ?, ?)",
            (identity.device.0, key, identity.epoch, PROJECTION),
        )
        .doing("writing down who this hub is")?;
    Ok(identity)
}

/// Who the hub is that the database is of.
pub(super) fn stored_identity(connection: &Connection) -> Result<Option<Identity>, StoreError> {
    let stored = connection.query_row("SELECT device, key, epoch FROM hub", [], |row| {
        Ok(Identity {
            device: DeviceId(row.get(0)?),
            key: SigningKey::from_bytes(&row.get(1)?),
            epoch: row.get(2)?,
        })
    });
    stored.optional().doing("reading who this hub is")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;
    use tempfile::TempDir;

    /// Its plan would depend on the values, were it allowed to.
    const SQL: &str = "SELECT code FROM quarantine WHERE device = ? AND tx = ? ORDER BY dev_seq LIMIT 1";

    #[test]
    fn a_statement_of_the_cache_is_not_prepared_anew_for_each_value() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("hub.db");
        let (writer, _) = open(&path, &crate::world::RealWorld).unwrap();
        for connection in [writer, read_only(&path).unwrap()] {
            for value in [[1_u8; 16], [2; 16], [3; 16]] {
                let mut statement = connection.prepare_cached(SQL).unwrap();
                assert!(!statement.exists((value, value)).unwrap());
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
            }
        }
    }
}
