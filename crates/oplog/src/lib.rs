//! Operations, their chain, their merge, seals, and synchronisation as state machines.
//!
//! Sans-IO: no sockets, no SQL, no clock, no randomness. What happens outside comes in as values and events; what
//! should happen outside goes out as values and effects. So the same code runs on the tablet, in the hub and in a
//! simulation of both.

pub mod canonical;
pub mod chain;
pub mod checksum;
pub mod clock;
pub mod greeting;
pub mod merge;
pub mod op;
pub mod pen;
pub mod pull;
pub mod push;
pub mod receive;
pub mod recorded;
pub mod repair;
pub mod replica;
pub mod seal;
pub mod snapshot;
pub mod upload;
pub mod wire;

/// The version of the wire format that this program speaks. Version 1 is the first.
pub const PROTOCOL: u32 = 1;

/// The version of the entities and fields that this program writes. Later ones are kept, and projected after an update.
pub const SCHEMA: u16 = 1;
