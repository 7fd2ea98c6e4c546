//! What the hub takes from outside itself: the time, fresh identifiers, randomness. Passed in, so that tests decide.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use standpipe_domain::ids::Millis;
use uuid::Uuid;

/// The time, fresh identifiers, and randomness.
pub trait World: Send + Sync {
    /// Milliseconds since 1970 UTC.
    fn now(&self) -> Millis;
    /// A fresh identifier (UUIDv7).
    fn uuid(&self) -> Uuid;
    /// Fills `bytes` with what nobody can guess.
    fn random(&self, bytes: &mut [u8]);
}

/// The world as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealWorld;

impl World for RealWorld {
    fn now(&self) -> Millis {
        Millis(jiff::Timestamp::now().as_millisecond())
    }

    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn random(&self, bytes: &mut [u8]) {
        // Without randomness no secret can be made, and a hub with guessable secrets must not run.
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no randomness: {error}");
        }
    }
}

/// Where the estates stand, so where a deadline's day begins: China keeps one time, eight hours ahead of UTC.
const OFFSET: Offset = Offset::constant(8);

/// The day at the estate at `time`.
pub fn day(time: Millis) -> Date {
    let time = jiff::Timestamp::from_millisecond(time.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    TimeZone::fixed(OFFSET).to_datetime(time).date()
}
