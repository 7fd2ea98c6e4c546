//! The office's server: what the tablets record arrives here, and the office's answer goes back.
//!
//! One way in: whatever changes is an operation, taken by [`ingest`] from a tablet or written by [`office`] as the hub's
//! own device, in one transaction of the [`store`]. Nothing else writes the tables that the console reads.

pub mod backup;
pub mod blobs;
pub mod cli;
#[cfg(test)]
mod conformance;
mod count;
pub mod demo;
pub mod filing;
pub mod founding;
pub mod http;
pub mod ingest;
pub mod issues;
mod judge;
pub mod office;
pub mod pull;
mod receipt;
pub mod secret;
pub mod store;

pub use standpipe_world as world;
