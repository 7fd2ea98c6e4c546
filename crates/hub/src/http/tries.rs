//! How often somebody may guess: passwords, and the codes of new tablets.

use standpipe_domain::ids::Millis;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many wrong guesses are let through within [`WINDOW`].
pub const MOST: usize = 10;
/// In milliseconds: five minutes.
const WINDOW: i64 = 5 * 60 * 1000;
/// How many guessers are remembered. Beyond that the oldest guesses are forgotten first.
const REMEMBERED: usize = 10_000;

/// Guesses of late, by who guessed at what. Kept in memory: a restart forgives, a guesser gains nothing by it.
#[derive(Default)]
pub struct Tries(Mutex<HashMap<String, Vec<Millis>>>);

/// Too many wrong guesses; how many seconds until the next one is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    pub wait_seconds: i64,
}

impl Tries {
    /// Counts a guess, before it is known whether it is right: many at once are counted all the same.
    pub fn guess(&self, who: &str, now: Millis) -> Result<(), TooMany> {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &Millis| at.0 > now.0 - WINDOW;
        if tries.len() >= REMEMBERED {
            tries.retain(|_, guesses| guesses.iter().any(recent));
            if tries.len() >= REMEMBERED {
                let mut last: Vec<i64> =
                    tries.values().filter_map(|guesses| Some(guesses.last()?.0)).collect();
                last.sort_unstable();
                let middle = last[last.len() / 2];
                tries.retain(|_, guesses| guesses.last().is_some_and(|at| at.0 > middle));
            }
        }
        let guesses = tries.entry(who.to_owned()).or_default();
        guesses.retain(recent);
        if guesses.len() >= MOST {
            let free_at = guesses[guesses.len() - MOST].0 + WINDOW;
            return Err(TooMany { wait_seconds: (free_at - now.0) / 1000 + 1 });
        }
        guesses.push(now);
        Ok(())
    }

    /// The guess was right: what came before is forgiven.
    pub fn right(&self, who: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_guesses_too_often_waits_and_nobody_else_does() {
        let tries = Tries::default();
        for second in 0..10 {
            assert_eq!(tries.guess("a", Millis(second * 1000)), Ok(()));
        }
        assert_eq!(tries.guess("a", Millis(10_000)), Err(TooMany { wait_seconds: 291 }));
        assert_eq!(tries.guess("b", Millis(10_000)), Ok(()));
        assert_eq!(tries.guess("a", Millis(301_000)), Ok(()), "the first two are five minutes old");
    }

    #[test]
    fn a_right_guess_forgives_the_wrong_ones() {
        let tries = Tries::default();
        for _ in 0..MOST {
            tries.guess("a", Millis(1)).unwrap();
        }
        tries.right("a");
        assert_eq!(tries.guess("a", Millis(2)), Ok(()));
    }
}
