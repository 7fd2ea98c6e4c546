//! What the tablet takes from outside itself: time, fresh identifiers, randomness, the room on its disk. Passed in, so
//! that tests decide.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use standpipe_domain::ids::Millis;
use std::io;
use std::path::Path;
use uuid::Uuid;

/// The world outside.
pub trait World: Send + Sync {
    /// Milliseconds since 1970 UTC, by the tablet's clock.
    fn now(&self) -> Millis;
    /// A fresh identifier (UUIDv7).
    fn uuid(&self) -> Uuid;
    /// Fills `bytes` with what nobody can guess.
    fn random(&self, bytes: &mut [u8]);
    /// Bytes that may still be written to the disk that holds `folder`.
    fn free(&self, folder: &Path) -> io::Result<u64>;

    /// The day at the estate.
    fn today(&self) -> Date {
        day(self.now())
    }
}

/// The world as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealWorld;

impl World for RealWorld {
    fn now(&self) -> Millis {
        Millis(Timestamp::now().as_millisecond())
    }

    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn random(&self, bytes: &mut [u8]) {
        // Without randomness no key can be made, and a tablet with a guessable key must not seal.
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no randomness: {error}");
        }
    }

    fn free(&self, folder: &Path) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

/// Where the estates stand, so where a day begins: China keeps one time, eight hours ahead of UTC.
const OFFSET: Offset = Offset::constant(8);

/// The day at the estate at `time`.
pub fn day(time: Millis) -> Date {
    let time = Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::fixed(OFFSET).to_datetime(time).date()
}

#[cfg(any(test, feature = "testing"))]
pub use testing::TestWorld;

#[cfg(any(test, feature = "testing"))]
mod testing {
    use super::{Millis, Path, Uuid, World, io};
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};

    /// A world that does what a test says. Each look at the clock is one millisecond later than the last.
    #[derive(Debug)]
    pub struct TestWorld {
        seed: u64,
        now: AtomicI64,
        made: AtomicU64,
        free: AtomicU64,
    }

    impl TestWorld {
        /// A world of its own for each `seed`: its identifiers and keys differ from those of every other seed.
        pub fn new(seed: u64) -> Self {
            // 2023-07-01 09:00 at the estate.
            let now = AtomicI64::new(1_688_173_200_000);
            Self { seed, now, made: AtomicU64::new(0), free: AtomicU64::new(1 << 40) }
        }

        pub fn set_now(&self, now: Millis) {
            self.now.store(now.0, SeqCst);
        }

        pub fn set_free(&self, bytes: u64) {
            self.free.store(bytes, SeqCst);
        }
    }

    impl World for TestWorld {
        fn now(&self) -> Millis {
            Millis(self.now.fetch_add(1, SeqCst))
        }

        fn uuid(&self) -> Uuid {
            let made = self.made.fetch_add(1, SeqCst);
            let time = self.now.load(SeqCst).unsigned_abs();
            let mut bytes = [0; 10];
            bytes[..4].copy_from_slice(&u32::try_from(made).unwrap_or(u32::MAX).to_be_bytes());
            bytes[4..].copy_from_slice(&self.seed.to_be_bytes()[2..]);
            uuid::Builder::from_unix_timestamp_millis(time, &bytes).into_uuid()
        }

        fn random(&self, bytes: &mut [u8]) {
            let made = self.made.fetch_add(1, SeqCst);
            for (at, byte) in bytes.iter_mut().enumerate() {
                *byte = self.seed.wrapping_mul(31).wrapping_add(made * 7 + at as u64).to_le_bytes()[0];
            }
        }

        fn free(&self, _: &Path) -> io::Result<u64> {
            Ok(self.free.load(SeqCst))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_day_begins_at_midnight_of_the_estate() {
        let midnight = Millis(1_688_140_800_000);
        assert_eq!(day(midnight), date(2023, 7, 1));
        assert_eq!(day(Millis(midnight.0 - 1)), date(2023, 6, 30));
    }

    #[test]
    fn identifiers_of_two_test_worlds_differ() {
        let (one, other) = (TestWorld::new(1), TestWorld::new(2));
        assert_ne!(one.uuid(), other.uuid());
        assert_ne!(one.uuid(), one.uuid());
    }
}
