//! The tablet's engine: its database, its vault of photos, its commands, its synchronisation.
//!
//! Recorded means durable: a change and its operation are one committed transaction, a photo's bytes are on disk under
//! their hash before anything mentions them. The app's shell is a few lines over [`engine::Engine`],
//! which works at one site, and [`sites::Sites`], which holds one for each site of the tablet.

mod commands;
pub mod engine;
pub mod enrolment;
pub mod error;
pub mod identity;
mod lock;
pub mod media;
mod previews;
mod rescue;
pub mod sites;
pub mod store;
pub mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod vault;

pub use standpipe_world as world;
