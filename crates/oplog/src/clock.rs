//! The hybrid logical clock: what people see in order, though clocks are wrong.
//!
//! Kulkarni et al., "Logical Physical Clocks" (2014). The upper 48 bits are milliseconds since 1970, the lower 16 count
//! events within one. A device never goes back, and never runs ahead of what it heard by more than [`MAX_AHEAD`].

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use standpipe_domain::ids::Millis;
use std::fmt;

/// How far past the hub's time of receipt a stamp may count: five minutes, in milliseconds.
pub const MAX_AHEAD: i64 = 5 * 60 * 1000;

/// A stamp. Written as 16 hexadecimal digits, so that JSON keeps all of it and text sorts as numbers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hlc(pub u64);

impl Hlc {
    /// The least stamp of a time. Times before 1970 count as 1970.
    pub fn at(time: Millis) -> Self {
        Self(time.0.clamp(0, (1 << 47) - 1).unsigned_abs() << 16)
    }

    /// The stamp's time.
    pub fn time(self) -> Millis {
        Millis(i64::try_from(self.0 >> 16).unwrap_or(i64::MAX))
    }

    /// The stamp for an event at `now`, after everything up to `self` was seen.
    #[must_use]
    pub fn next(self, now: Millis) -> Self {
        Self(Self::at(now).0.max(self.0.saturating_add(1)))
    }

    /// The stamp as it counts at a hub that received it at `received`: no more than five minutes ahead.
    #[must_use]
    pub fn clamped(self, received: Millis) -> Self {
        self.min(Self::at(Millis(received.0.saturating_add(MAX_AHEAD))))
    }
}

impl fmt::Display for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Hlc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hlc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        if text.len() != 16 {
            return Err(serde::de::Error::custom("a stamp is 16 hexadecimal digits"));
        }
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_never_goes_back_though_the_clock_does() {
        let first = Hlc::default().next(Millis(5_000));
        let second = first.next(Millis(1_000));
        assert!(second > first);
        assert_eq!(second.time(), Millis(5_000));
        assert_eq!(second.next(Millis(9_000)).time(), Millis(9_000));
    }

    #[test]
    fn a_clock_of_ten_years_ahead_counts_five_minutes_at_most() {
        let ten_years = 10 * 365 * 24 * 3_600_000;
        let wild = Hlc::at(Millis(ten_years + 1_000));
        assert_eq!(wild.clamped(Millis(1_000)).time(), Millis(1_000 + MAX_AHEAD));
        assert_eq!(Hlc::at(Millis(900)).clamped(Millis(1_000)).time(), Millis(900));
    }

    #[test]
    fn a_stamp_reads_back_and_sorts_as_text() {
        let stamps = [Hlc::at(Millis(-5)), Hlc::at(Millis(1)), Hlc::at(Millis(1_688_169_600_000))];
        let texts: Vec<_> = stamps.iter().map(|stamp| serde_json::to_string(stamp).unwrap()).collect();
        assert!(texts.is_sorted());
        for (text, stamp) in texts.iter().zip(stamps) {
            assert_eq!(serde_json::from_str::<Hlc>(text).unwrap(), stamp);
        }
    }
}
