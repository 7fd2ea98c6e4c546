//! Brings the hub's issues into a tracker that an office already has: each of them, and each once.
//!
//! Trackers offer no way to send a request twice and have it count once. What is promised is what can be kept: at most one
//! create whose fate nobody knows, and then only looks, by a mark that the tracker keeps in a field of its own. Another
//! create goes out after two looks that found nothing, a minute apart; where the first one arrives after all, a sweep finds
//! the twin and closes it.
//!
//! Nothing here speaks with anybody or reads a clock: [`Delivery`] says what is to be done next about an issue and hears
//! what came of it, [`twins`](twins::twins) says what is to be closed, and [`Redmine`](redmine::Redmine) puts both into the
//! words of a tracker.

pub mod delivery;
pub mod redmine;
pub mod twins;

pub use delivery::{Delivery, Filing, Heard, Next};
