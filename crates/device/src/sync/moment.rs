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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_right_or_back_is_no_sleep_and_one_that_went_on_alone_is() {
        let at = |clock, elapsed| Moment { clock: Millis(clock), elapsed: Duration::from_millis(elapsed) };
        let before = at(50_000, 7);
        for (clock, elapsed, leapt) in [
            (110_000, 60_007, false),
            (110_000, 50_007, false),
            (110_000, 50_006, true),
            (50_000, 60_007, false),
            (i64::MIN, 7, false),
        ] {
            assert_eq!(at(clock, elapsed).leapt_since(before), leapt, "{clock} {elapsed}");
        }
    }
}
