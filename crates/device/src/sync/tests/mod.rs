//! The driver against a small hub that misbehaves in every way a hub, a network or a café's login page can.

mod awaited;
mod client;
mod fetching;
mod full_disk;
mod holding;
pub mod hub;
mod mending;
mod offering;
mod photos;
mod records;
mod rescued;
mod sealed;
mod sleeping;
mod snapshot;
mod spoilt;
pub mod tablet;
mod trouble;
mod under_way;
