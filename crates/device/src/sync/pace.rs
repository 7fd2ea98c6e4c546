//! How long to wait before the next try.

use std::time::Duration;

const LONGEST: u64 = 60_000;

/// What was set aside is tried again by itself after so long: whatever kept it may have been mended.
pub const PAROLE: Duration = Duration::from_secs(15 * 60);

/// The pauses between tries that fail: from one second to one minute, for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    failures: u32,
}

impl Pace {
    /// The pause after another failure. `dice` is any number: tablets that lost the same hub at once must not all come
    /// back at once. A failed try that was `asked` for in between, by something recorded, lengthens nothing.
    pub fn pause(&mut self, dice: u32, asked: bool) -> Duration {
        if !asked || self.failures == 0 {
            self.failures = self.failures.saturating_add(1);
        }
        let ceiling = (1_000 << self.failures.min(6)).min(LONGEST);
        let half = ceiling / 2;
        Duration::from_millis(half + u64::from(dice) % (half + 1))
    }

    /// A try went well.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_second_to_a_minute_and_stay_there() {
        let mut pace = Pace::default();
        let shortest: Vec<_> = (0..8).map(|_| pace.pause(0, false).as_millis()).collect();
        assert_eq!(shortest, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        for dice in [0, 1, u32::MAX, 12_345_678] {
            let mut pace = Pace { failures: 1_000 };
            assert!((30_000..=60_000).contains(&pace.pause(dice, false).as_millis()), "{dice}");
        }
        pace.reset();
        assert!((1_000..=2_000).contains(&pace.pause(u32::MAX, false).as_millis()));
    }

    #[test]
    fn what_is_recorded_without_a_link_does_not_lengthen_the_pauses() {
        let mut pace = Pace::default();
        pace.pause(0, true);
        pace.pause(0, true);
        assert_eq!(pace.pause(0, true).as_millis(), 1_000);
        assert_eq!(pace.pause(0, false).as_millis(), 2_000);
    }

    #[test]
    fn two_tablets_do_not_come_back_at_once() {
        let pause = |dice| Pace { failures: 9 }.pause(dice, false);
        assert_ne!(pause(1), pause(20_000));
    }
}
