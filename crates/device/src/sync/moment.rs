//! Whether the tablet slept: its clock goes on meanwhile, and the time that pauses are counted in does not.

use crate::world::World;
use standpipe_domain::ids::Millis;
use std::time::Duration;

/// A clock that is set right each day goes less far at a time.
const LEAP: Duration = Duration::from_secs(10);

/// One moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// What the tablet's clock shows.
    pub clock: Millis,
    /// See [`World::elapsed`].
    elapsed: Duration,
}

impl Moment {
    /// This moment.
    pub(super) fn of(world: &dyn World) -> Self {
        Self { clock: world.now(), elapsed: world.elapsed() }
    }

    /// Whether the tablet slept between `before` and this moment, or somebody put its clock forward.
    pub(super) fn leapt_since(self, before: Self) -> bool {
        let shown = self.clock.0.saturating_sub(before.clock.0);
        let passed = self.elapsed.saturating_sub(before.elapsed) + LEAP;
        shown > i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
    }
}
