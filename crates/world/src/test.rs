//! A world that does what a test says.

use crate::{World, real};
use standpipe_domain::ids::Millis;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use uuid::Uuid;

/// A world that does what a test says. Each look at the clock is one millisecond later than the last.
#[derive(Debug)]
pub struct TestWorld {
    seed: u64,
    now: AtomicI64,
    made: AtomicU64,
    free: AtomicU64,
    /// Milliseconds that have passed without anybody waiting for them.
    passed: AtomicU64,
}

impl TestWorld {
    /// A world of its own for each `seed`: its identifiers and keys differ from those of every other seed.
    pub fn new(seed: u64) -> Self {
        // 2023-07-01 09:00 at the estate.
        let now = AtomicI64::new(1_688_173_200_000);
        Self { seed, now, made: AtomicU64::new(0), free: AtomicU64::new(1 << 40), passed: AtomicU64::new(0) }
    }

    pub fn set_now(&self, now: Millis) {
        self.now.store(now.0, SeqCst);
    }

    /// So much time passes.
    pub fn passes(&self, time: Duration) {
        self.passed.fetch_add(u64::try_from(time.as_millis()).unwrap_or(0), SeqCst);
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

    fn elapsed(&self) -> Duration {
        real::elapsed() + Duration::from_millis(self.passed.load(SeqCst))
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.free.load(SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_two_test_worlds_differ() {
        let (one, other) = (TestWorld::new(1), TestWorld::new(2));
        assert_ne!(one.uuid(), other.uuid());
        assert_ne!(one.uuid(), one.uuid());
    }
}
