//! What could not be opened is tried again when something is asked of it.

use crate::world::World;
use standpipe_domain::tablet::Problem;
use std::time::Duration;

/// How long it rests at least between two tries: shorter than it takes to close another window and to tap.
const REST: Duration = Duration::from_millis(500);

/// How the last try to open something ended. Another window may have been closed since, or room been made; but screens ask
/// much at once, and a rescue is long: not every question is another try.
#[derive(Debug)]
pub struct Tried<T> {
    outcome: Result<T, Problem>,
    at: Duration,
    took: Duration,
}

impl<T> Tried<T> {
    /// The first try.
    pub fn now(world: &dyn World, open: impl FnOnce() -> Result<T, Problem>) -> Self {
        let begun = world.elapsed();
        let outcome = open();
        let at = world.elapsed();
        Self { outcome, at, took: at.saturating_sub(begun) }
    }

    /// Another try, where the last one failed and was long enough ago. Gives whether it opened by that.
    pub fn again(&mut self, world: &dyn World, open: impl FnOnce() -> Result<T, Problem>) -> bool {
        let rested = world.elapsed().saturating_sub(self.at) > REST.max(3 * self.took);
        if self.outcome.is_ok() || !rested {
            return false;
        }
        *self = Self::now(world, open);
        self.outcome.is_ok()
    }

    /// What was opened, or why it was not.
    ///
    /// # Errors
    /// Those of the last try.
    pub fn outcome(&self) -> Result<&T, Problem> {
        self.outcome.as_ref().map_err(Clone::clone)
    }
}
