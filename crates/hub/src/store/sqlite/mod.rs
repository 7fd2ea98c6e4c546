//! The store in one SQLite file: one task writes at a time, and readers never wait for it.

mod at_rest;
mod line;
mod link;
mod open;

use super::sql::{Desk, Desks, Readers, Writer};
use super::{Identity, StoreError};
use crate::world::{World, aside};
pub use at_rest::{AtRest, revive, withdraw};
use line::ForReading;
pub(in crate::store) use open::open as open_file;
use rusqlite::Connection;
use standpipe_domain::ids::SiteId;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::broadcast;

/// A hub's store in one SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    world: Arc<dyn World>,
    identity: Arc<Identity>,
    writer: Writer<Connection>,
    readers: Arc<Readers<ForReading>>,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a file that a newer version wrote; it is left untouched.
    pub async fn open(path: &Path, world: Arc<dyn World>) -> Result<Self, StoreError> {
        let (file, outside) = (path.to_owned(), Arc::clone(&world));
        let opened = aside(&*world, move || open::open(&file, &*outside)).await;
        let (connection, identity) = opened.map_err(|_| StoreError::Stopped)??;
        let identity = Arc::new(identity);
        let readers = Readers::new(ForReading(path.to_owned()), Arc::clone(&identity), Arc::clone(&world));
        let writer = Writer::new(connection, Arc::clone(&identity), Arc::clone(&world));
        Ok(Self { path: path.to_owned(), world, readers: Arc::new(readers), identity, writer })
    }

    /// Does what was asked for so far, and closes the file. Whoever asks later is told that the hub is stopping.
    pub async fn close(&self) {
        // The writer last: only a connection that can write leaves one whole file behind.
        self.readers.close().await;
        self.writer.stop().await;
    }
}

impl Desks for SqliteStore {
    fn who(&self) -> &Identity {
        &self.identity
    }

    fn heard(&self) -> broadcast::Receiver<SiteId> {
        self.writer.changes()
    }

    async fn change<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(task).await
    }

    async fn look<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(task).await
    }
}

#[cfg(test)]
mod tests;
