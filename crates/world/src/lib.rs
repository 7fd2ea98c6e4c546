//! What a tablet and a hub take from outside themselves: time, fresh identifiers, randomness, the room on a disk, and
//! somewhere to do slow work. Passed in, so that tests and the simulation decide.

mod broken;
mod day;
mod real;
mod work;

#[cfg(any(test, feature = "testing"))]
mod test;

pub use broken::Broken;
pub use day::day;
pub use real::RealWorld;
#[cfg(any(test, feature = "testing"))]
pub use test::TestWorld;
pub use work::{Gone, aside, spawned, within};

use futures::future::BoxFuture;
use jiff::civil::Date;
use standpipe_domain::ids::Millis;
use std::io;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// The world outside. What is not said otherwise is as it really is; pauses and work aside need a tokio runtime then.
pub trait World: Send + Sync {
    /// Milliseconds since 1970 UTC, by this machine's clock: it may be wrong, and jump.
    fn now(&self) -> Millis;

    /// A fresh identifier (UUIDv7).
    fn uuid(&self) -> Uuid;

    /// Fills `bytes` with what nobody can guess.
    fn random(&self, bytes: &mut [u8]);

    /// Bytes that may still be written to the disk that holds `folder`.
    fn free(&self, folder: &Path) -> io::Result<u64> {
        real::free(folder)
    }

    /// The time since some moment in the past. It never goes back, and tells nothing of the date. While the machine sleeps it
    /// may stand still.
    fn elapsed(&self) -> Duration {
        real::elapsed()
    }

    /// Is over after `pause`.
    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(pause))
    }

    /// Begins work that would hold others up, beside them. [`aside`] gives its result.
    fn begin_aside(&self, work: Box<dyn FnOnce() + Send>) {
        tokio::task::spawn_blocking(work);
    }

    /// Begins work that goes on whether or not somebody still waits for it. [`spawned`] gives its result.
    fn spawn(&self, work: BoxFuture<'static, ()>) {
        tokio::spawn(work);
    }

    /// The day at the estate.
    fn today(&self) -> Date {
        day(self.now())
    }
}
