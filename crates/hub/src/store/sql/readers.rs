//! The readers: connections that only read, each query within one snapshot.

use super::{Desk, Sql, SqlError};
use crate::store::{Doing, Identity, StoreError};
use crate::world::{World, aside};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How many may read at a time.
const READERS: usize = 4;

/// Where connections come from that only read.
pub(in crate::store) trait Source: Send + Sync + 'static {
    type Line: Sql + Send;
    /// What opens a snapshot.
    const SNAPSHOT: &'static str;

    fn line(&self) -> Result<Self::Line, StoreError>;
}

pub(in crate::store) struct Readers<S: Source> {
    source: S,
    identity: Arc<Identity>,
    world: Arc<dyn World>,
    idle: Mutex<Vec<S::Line>>,
    places: Arc<Semaphore>,
}

impl<S: Source> Readers<S> {
    pub(in crate::store) fn new(source: S, identity: Arc<Identity>, world: Arc<dyn World>) -> Self {
        Self { source, identity, world, idle: Mutex::default(), places: Arc::new(Semaphore::new(READERS)) }
    }

    /// Reads within one snapshot.
    pub(in crate::store) async fn run<T: Send + 'static>(
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
        const DOING: &str = "opening a snapshot";
        let kept = idle().pop();
        let line = match kept.map(|line| line.batch(S::SNAPSHOT).map(|()| line)) {
            Some(Ok(line)) => line,
            // Whoever asks another connection waits as long once more.
            Some(Err(error @ SqlError::Silent(_))) => return Err(error).doing(DOING),
            // One that was kept may have been lost meanwhile.
            Some(Err(_)) | None => {
                let line = self.source.line()?;
                line.batch(S::SNAPSHOT).doing(DOING)?;
                line
            }
        };
        let result = task(&mut Desk::new(&line, &self.identity));
        if line.batch("COMMIT").is_ok() {
            idle().push(line);
        }
        result
    }

    /// Waits for those who read, and closes the connections.
    pub(in crate::store) async fn close(&self) {
        let all = self.places.acquire_many(u32::try_from(READERS).unwrap_or(u32::MAX)).await;
        self.places.close();
        drop(all);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
