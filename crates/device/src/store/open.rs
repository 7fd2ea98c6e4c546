//! Opening the database: nothing of a newer app's file is touched, older layouts are brought up to date.

use super::fault::{Doing, Fault, StoreError};
use super::{FILE, Store, rebuild};
use crate::vault::{Vault, VaultError};
use crate::world::World;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::sync::watch;

/// The layout that this version writes.
pub const LAYOUT: u32 = 10;

/// Layouts, oldest first; only ever added to. The number of a layout is its place here, counted from 1.
const MIGRATIONS: [&str; LAYOUT as usize] = [
    include_str!("../../../../migrations/device/0001_log.sql"),
    include_str!("../../../../migrations/device/0002_projections.sql"),
    include_str!("../../../../migrations/device/0003_draft.sql"),
    include_str!("../../../../migrations/device/0004_receipt.sql"),
    include_str!("../../../../migrations/device/0005_marks.sql"),
    include_str!("../../../../migrations/device/0006_choice.sql"),
    include_str!("../../../../migrations/device/0007_apart.sql"),
    include_str!("../../../../migrations/device/0008_seen.sql"),
    include_str!("../../../../migrations/device/0009_unnumbered.sql"),
    include_str!("../../../../migrations/device/0010_deleted.sql"),
];

// Writers hold the lock of the process, so only another process could make one wait.
const PATIENCE: Duration = Duration::from_secs(10);

impl Store {
    /// Opens the database in `folder`, or makes it, with the vault beside it.
    ///
    /// # Errors
    /// `database-newer` for a file of a newer app: nothing of it was changed. `damaged` for one that needs a rescue.
    pub fn open(folder: &Path, world: Arc<dyn World>) -> Result<Self, StoreError> {
        let doing = "opening the tablet's database";
        let path = &folder.join(FILE);
        refuse_newer(path).map_err(|error| error.doing(doing))?;
        // After that look: the vault sweeps its folders.
        let vault = Vault::open(folder)
            .map_err(|error| StoreError::from(error).doing("opening the vault of photos"))?;
        let mut writer = writer(path).map_err(|error| StoreError::from(error).doing(doing))?;
        migrate(&mut writer)
            .map_err(|error| StoreError::from(error).doing("bringing the database up to date"))?;
        rebuild::if_outdated(&mut writer)
            .map_err(|error| error.doing("rebuilding what follows from the log"))?;
        // The less lies in the write-ahead log, the less a damage to it can cost.
        writer
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(|error| StoreError::from(error).doing("emptying the write-ahead log"))?;
        Ok(Self {
            path: path.to_owned(),
            vault,
            world,
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
            changes: watch::Sender::new(0),
            on_photo: OnceLock::new(),
            given_up: Mutex::default(),
        })
    }
}

/// A newer app's file is looked at read-only, so that not a byte of it changes.
fn refuse_newer(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    // Out of the head of the file, so that nothing is made beside it. SQLite itself is not asked: where power failed in
    // the middle of a checkpoint, the file alone is half of one state and half of another, and only its write-ahead log
    // makes it whole.
    refuse(path, layout_in_head(path)?)?;
    let log = beside(path, "-wal");
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        refuse(path, layout(&Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)?)?;
    }
    Ok(())
}

fn refuse(path: &Path, found: u32) -> Result<(), StoreError> {
    if found > LAYOUT {
        return Err(Fault::Newer { path: path.to_owned(), found, known: LAYOUT }.into());
    }
    Ok(())
}

/// The layout that the head of a database file names, 0 where it is none: SQLite's file format, 1.3, has the
/// `user_version` at offset 60, big-endian.
fn layout_in_head(path: &Path) -> Result<u32, StoreError> {
    let mut head = [0; 64];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    match read {
        Ok(()) if head.starts_with(b"SQLite format 3\0") => {
            Ok(u32::from_be_bytes([head[60], head[61], head[62], head[63]]))
        }
        Ok(()) => Ok(0),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        Err(error) => Err(VaultError::io("reading", path)(error).into()),
    }
}

fn layout(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The file that SQLite keeps beside the database under this ending.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A connection that writes durably.
pub(crate) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Pages: 16 MiB. Who takes much in writes most pages many times, and each of them once back into the file.
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    tune(&connection)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(PATIENCE)?;
    tune(&connection)?;
    Ok(connection)
}

fn tune(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    // A plan must not depend on the values that are bound: SQLite would prepare such a statement anew each time it comes
    // out of the cache.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // KiB: enough that a tablet's working set stays in memory.
    connection.pragma_update(None, "cache_size", -16_000)
}

pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let from = layout(connection)? as usize;
    for (at, sql) in MIGRATIONS.iter().enumerate().skip(from) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", at + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;
    use tempfile::TempDir;

    /// Its plan would depend on the values, were it allowed to.
    const SQL: &str = "SELECT num FROM asset WHERE place = ?1 AND tag = ?2 ORDER BY num LIMIT 1";

    #[test]
    fn a_statement_of_the_cache_is_not_prepared_anew_for_each_value() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join(FILE);
        let mut writer = writer(&path).unwrap();
        migrate(&mut writer).unwrap();
        for connection in [writer, reader(&path).unwrap()] {
            for value in [[1_u8; 16], [2; 16], [3; 16]] {
                let mut statement = connection.prepare_cached(SQL).unwrap();
                assert!(!statement.exists((value, "A-1")).unwrap());
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
            }
        }
    }
}
