//! The store in one SQLite file: one task writes at a time, and readers never wait for it.

mod at_rest;
mod line;
mod link;
mod open;

use super::StoreError;
use super::sql::{AtWork, Desks};
use crate::world::{World, aside};
pub use at_rest::{AtRest, revive, withdraw};
use line::ForReading;
pub(in crate::store) use open::open as open_file;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A hub's store in one SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    world: Arc<dyn World>,
    at_work: AtWork<Connection, ForReading>,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a file that a newer version wrote, [`StoreError::Damaged`] for one that is no sound
    /// database; both are left untouched.
    pub async fn open(path: &Path, world: Arc<dyn World>) -> Result<Self, StoreError> {
        let (file, outside) = (path.to_owned(), Arc::clone(&world));
        let opened = aside(&*world, move || open::open(&file, &*outside)).await;
        let opened = opened.map_err(|_| StoreError::Stopped)?;
        let (connection, identity) = opened.map_err(|error| error.of_file(path))?;
        let at_work = AtWork::new(connection, ForReading(path.to_owned()), identity, &world);
        Ok(Self { path: path.to_owned(), world, at_work })
    }

    /// Does what was asked for so far, and closes the file. Whoever asks later is told that the hub is stopping.
    pub async fn close(&self) {
        self.at_work.close().await;
    }
}

impl Desks for SqliteStore {
    type Line = Connection;
    type Source = ForReading;

    fn at_work(&self) -> &AtWork<Connection, ForReading> {
        &self.at_work
    }
}

#[cfg(test)]
mod tests;
