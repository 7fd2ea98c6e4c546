//! The hub over real HTTP: started in this process on a free port, with a folder of its own.

#![allow(clippy::unwrap_used, reason = "clippy takes the helpers of these tests for a program")]

mod backup;
mod console;
mod desk;
mod events;
mod expiry;
mod foreign;
mod gone;
mod greedy;
mod hostile;
mod office;
mod outside;
mod postgres;
mod restore;
mod session;
mod snapshot;
mod stop;
mod sync;
mod tablet;
mod upload;
mod verify;
