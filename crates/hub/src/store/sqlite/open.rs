//! Opening the file: its settings, its migrations, and who this hub is.

use crate::store::{Doing, Identity, StoreError};
use crate::world::World;
use ed25519_dalek::SigningKey;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use standpipe_domain::ids::DeviceId;
use std::path::Path;

/// The version that this program makes.
const KNOWN: u32 = 2;
/// Numbered from 1, only ever added to.
const MIGRATIONS: [&str; KNOWN as usize] = [
    include_str!("../../../../../migrations/hub/sqlite/0001_hub.sql"),
    include_str!("../../../../../migrations/hub/sqlite/0002_upload.sql"),
];

/// Opens the file for writing, or makes it. A file of a newer version is left as it is.
pub(super) fn open(path: &Path, world: &dyn World) -> Result<(Connection, Identity), StoreError> {
    if path.exists() {
        refuse_newer(&read_only(path)?)?;
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
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "busy_timeout", 5_000)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // What was acknowledged must outlive a power cut.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn version(connection: &Connection) -> Result<u32, StoreError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .doing("reading the database's version")
}

fn refuse_newer(connection: &Connection) -> Result<u32, StoreError> {
    let found = version(connection)?;
    if found > KNOWN { Err(StoreError::Newer { found, known: KNOWN }) } else { Ok(found) }
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found = refuse_newer(connection)?;
    for (number, sql) in (1_u32..).zip(MIGRATIONS).skip(found as usize) {
        let doing = "migrating the database";
        let transaction = connection.transaction().doing(doing)?;
        transaction.execute_batch(sql).doing(doing)?;
        transaction.pragma_update(None, "user_version", number).doing(doing)?;
        transaction.commit().doing(doing)?;
    }
    Ok(())
}

/// Who this hub is; a fresh identity where the database has none.
fn identity(connection: &Connection, world: &dyn World) -> Result<Identity, StoreError> {
    let doing = "reading who this hub is";
    let stored = connection
        .query_row("SELECT device, key, epoch FROM hub", [], |row| {
            Ok(Identity {
                device: DeviceId(row.get(0)?),
                key: SigningKey::from_bytes(&row.get(1)?),
                epoch: row.get(2)?,
            })
        })
        .optional()
        .doing(doing)?;
    if let Some(identity) = stored {
        return Ok(identity);
    }
    let mut key = [0; 32];
    world.random(&mut key);
    let identity =
        Identity { device: DeviceId(world.uuid()), key: SigningKey::from_bytes(&key), epoch: world.uuid() };
    connection
        .execute(
            "INSERT INTO hub (one, device, key, epoch) VALUES (1, ?, ?, ?)",
            (identity.device.0, key, identity.epoch),
        )
        .doing(doing)?;
    Ok(identity)
}
