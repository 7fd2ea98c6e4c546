//! The readers: connections that only read, each query within one snapshot.

use super::open::read_only;
use crate::store::sql::Desk;
use crate::store::{Doing, Identity, StoreError};
use crate::world::{World, aside};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How many may read at a time.
const READERS: usize = 4;

pub(super) struct Readers {
    path: PathBuf,
    identity: Arc<Identity>,
    world: Arc<dyn World>,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, identity: Arc<Identity>, world: Arc<dyn World>) -> Self {
        Self { path, identity, world, idle: Mutex::default(), places: Arc::new(Semaphore::new(READERS)) }
    }

    /// Reads within one snapshot.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        task: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| StoreError::Stopped)?;
        let this = self.clone();
        let reading = move || {
            // Held to the end, also when nobody waits for the answer any more.
            let _place = place;
            this.snapshot(task)
        };
        let read = aside(&*self.world, reading).await;
        read.map_err(|error| StoreError::Database { doing: "reading", source: error.into() })?
    }

    fn snapshot<T>(
        &self,
        task: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => read_only(&self.path)?,
        };
        connection.execute_batch("BEGIN").doing("opening a snapshot")?;
        let result = task(&mut Desk::new(&connection, &self.identity));
        connection.execute_batch("COMMIT").doing("closing a snapshot")?;
        idle().push(connection);
        result
    }

    /// Waits for those who read, and closes the connections.
    pub(super) async fn close(&self) {
        let all = self.places.acquire_many(u32::try_from(READERS).unwrap_or(u32::MAX)).await;
        self.places.close();
        drop(all);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
