//! The tablet's database: the log, what follows from it, and what only this tablet knows.
//!
//! One connection writes, behind a lock; others read, and never wait for it (WAL). Each write is one transaction with
//! `synchronous=FULL`: when it returns, power may fail.

mod awaited;
mod backup;
pub mod blobs;
pub(crate) mod chain;
pub(crate) mod choices;
pub mod fault;
pub(crate) mod log;
pub(crate) mod open;
pub mod outbox;
pub(crate) mod project;
pub mod pull;
pub(crate) mod query;
pub(crate) mod rebuild;
mod repair;
pub(crate) mod replica;
pub(crate) mod seen;
mod spoilt;
mod sql;
mod write;

pub use backup::InBackup;
pub use fault::{Doing, Fault, StoreError};
pub(crate) use open::beside;
pub use repair::Held;
pub(crate) use repair::PULLS_ANEW;
pub use write::Writing;

use crate::vault::Vault;
use crate::world::World;
use rusqlite::Connection;
use standpipe_domain::ids::Sha256;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::watch;

/// The name of the database within the tablet's data folder.
pub const FILE: &str = "standpipe.db";

/// The database of one tablet, and the vault beside it.
pub struct Store {
    path: PathBuf,
    vault: Vault,
    world: Arc<dyn World>,
    // Closed before the writer: the last to close tidies up the write-ahead log, and a reader cannot.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Connection>,
    changes: watch::Sender<u64>,
    on_photo: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// Previews that cannot be made for now; absent while nobody makes any.
    given_up: Mutex<Option<HashSet<Sha256>>>,
}

impl Store {
    /// Where the database lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files beside the database.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    pub fn world(&self) -> &dyn World {
        &*self.world
    }

    /// The same, to keep.
    pub fn outside(&self) -> &Arc<dyn World> {
        &self.world
    }

    /// Counts up whenever something that a screen shows has changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Tells the screens to look again.
    pub fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Calls `hear` whenever an original has come into the vault. The first to ask is the one that is told.
    pub(crate) fn on_photo(&self, hear: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_photo.set(Box::new(hear));
    }

    /// An original has come into the vault: its preview can be made.
    pub(crate) fn photo_came(&self) {
        if let Some(hear) = self.on_photo.get() {
            hear();
        }
    }

    /// Damage that was met is looked into at the next start.
    fn noticing<E: Doing>(&self, error: E) -> E {
        if error.is_damage() {
            tracing::error!("the database is damaged; it will be rescued at the next start");
            if let Err(error) = std::fs::write(self.suspicion(), "") {
                tracing::error!(%error, "and that could not be written down");
            }
        }
        error
    }

    fn suspicion(&self) -> PathBuf {
        beside(&self.path, ".suspect")
    }

    /// Whether damage was met since the database was last looked through.
    pub(crate) fn is_suspect(&self) -> bool {
        self.suspicion().exists()
    }

    /// Looks through the whole file.
    ///
    /// # Errors
    /// `damaged`.
    pub(crate) fn look_through(&self) -> Result<(), StoreError> {
        self.read("looking through the database", |conn| {
            let found: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if found == "ok" {
                return Ok(());
            }
            Err(StoreError::damaged(found))
        })?;
        // What cannot be removed costs another look at the next start, no more.
        let _ = std::fs::remove_file(self.suspicion());
        Ok(())
    }

    /// Reads one consistent state, beside whatever is being written.
    pub fn read<T, E: Doing>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let fault = |error| E::from(Fault::Sql(error)).doing(doing);
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => open::reader(&self.path).map_err(fault)?,
        };
        let transaction = reader.unchecked_transaction().map_err(fault)?;
        let result = work(&transaction).map_err(|error: E| self.noticing(error.doing(doing)));
        transaction.finish().map_err(fault)?;
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        result
    }
}
