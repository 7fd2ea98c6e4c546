//! What anybody may send, as plain functions over bytes. Each panics where a promise does not hold.
//!
//! The fuzzers in `fuzz/` look for bytes at which one does; what they found worth keeping lies in `fuzz/corpus`, and an
//! ordinary test replays it, so that nobody needs a fuzzer to see that it still holds.

mod merge;
mod tus;
mod wire;

pub use merge::merge;
pub use tus::tus;
pub use wire::wire;
