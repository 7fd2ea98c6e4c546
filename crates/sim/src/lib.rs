//! Many tablets, a hub, a network and disks on one thread, out of one seed: finds what goes wrong once a year.
//!
//! What runs is the program itself: the tablet's engine and sync driver, the hub's store, photos and HTTP interface, each
//! on real SQLite files. The simulation gives them time, chance, a network and disks ([`world`], [`net`], [`disk`]), plays
//! a story to them ([`story`], [`stage`]), and looks after each step whether what was promised still holds ([`oracle`]).
//! What really came of a story is counted ([`effects`]).

pub mod dice;
pub mod disk;
pub mod effects;
pub mod estate;
pub mod hub;
pub mod net;
pub mod oracle;
pub mod people;
/// The server of the hub's own tests, for the offices whose database moves.
#[allow(dead_code, clippy::unwrap_used, reason = "the hub's own tests ask more of the server")]
#[path = "../../hub/src/store/postgres/tests/server.rs"]
mod postgres;
pub mod run;
pub mod screen;
pub mod stage;
pub mod story;
pub mod tablet;
pub mod time;
pub mod tracker;
pub mod world;
