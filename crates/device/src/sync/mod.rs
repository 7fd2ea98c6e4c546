//! Synchronisation: brings this tablet and the office in step whenever there is a link, and says how it stands.
//!
//! What to do is decided by the state machines of `oplog`; here it is done, over HTTP and on this tablet's disk.

mod driver;
mod ear;
pub mod fault;
mod fetch;
mod file;
mod handle;
pub mod hub_client;
mod inventory;
mod line;
mod mend;
mod moment;
mod pace;
mod photos;
mod recheck;
mod records;
mod rows;
mod source;
mod spoilt;
mod standing;
mod under_way;
mod wire;

pub use fault::Fault;
pub use fetch::NotFetched;
pub use handle::Handle;
pub use hub_client::{Outside, Patience, enrol};
pub use wire::{Broken, Connect, Reply, Wire, network};

#[cfg(test)]
pub(crate) mod tests;
