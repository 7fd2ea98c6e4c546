//! How long one waits for a server, and that nobody waits again at once where somebody has waited in vain.

use crate::world::World;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A server that does not take a connection, and let one in, within this is away.
const CONNECT: Duration = Duration::from_secs(10);
/// A server that is silent for so long while it is asked for something is away. Longer than one waits for a lock, so that it
/// is the server that says so then; and people hear it within half a minute.
const ANSWER: Duration = Duration::from_secs(25);
/// How long a change waits until it is certain again whose turn it is to serve.
const UNSURE: Duration = Duration::from_secs(5);
/// So long nobody tries to reach a server that was silent: otherwise whoever stands in line waits once for each before them.
const REST: Duration = Duration::from_secs(5);

/// How long one waits for a server.
#[derive(Clone)]
pub(super) struct Patience {
    pub(super) connect: Duration,
    pub(super) answer: Duration,
    pub(super) unsure: Duration,
    world: Arc<dyn World>,
    /// Until when nobody tries to reach it, by the world's `elapsed`.
    resting: Arc<Mutex<Duration>>,
}

impl Patience {
    pub(super) fn new(world: Arc<dyn World>) -> Self {
        Self { connect: CONNECT, answer: ANSWER, unsure: UNSURE, world, resting: Arc::default() }
    }

    /// Somebody has waited in vain.
    pub(super) fn is_out(&self) {
        *self.resting.lock().unwrap_or_else(PoisonError::into_inner) = self.world.elapsed() + REST;
    }

    /// Whether somebody has waited in vain just now.
    pub(super) fn rests(&self) -> bool {
        self.world.elapsed() < *self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
