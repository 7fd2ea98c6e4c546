//! Backups of the hub: made while it works, restored into an empty folder.
//!
//! A backup is a folder. In it lie `manifest.json`, the database that it names, and `blobs`, each photo once under its
//! hash as on the hub's own shelf. The manifest is written last, so that it never names what is not there, and it takes
//! the place of the last one in a single step: whatever a backup is interrupted in, the last whole one stands.
//!
//! The folder holds what the hub's does, its key and the hashes of passwords among it: it is made for its owner only.

mod check;
mod fault;
mod files;
mod make;
mod manifest;
mod restore;

pub use check::{Checked, check};
pub use fault::BackupError;
pub use make::{Made, Photos, make};
pub use manifest::Manifest;
pub use restore::{Restored, UNFINISHED, restore};

use crate::store::StoreError;
use crate::world::{World, aside};
use std::sync::Arc;

/// How far the work is, for whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The database is copied, or read back.
    Database,
    /// One photo more is done: so many bytes were read for it, and of so many photos it was one.
    Photo { bytes: u64, of: u64 },
}

/// Hears of each step.
pub type Watch<'a> = &'a mut (dyn FnMut(Step) + Send);

/// How many photos are asked for at once.
const PAGE: usize = 256;

/// Does what takes time where nobody waits for the thread.
async fn blocking<T: Send + 'static>(
    world: &Arc<dyn World>,
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    aside(&**world, work).await.map_err(|_| StoreError::Stopped)?
}
