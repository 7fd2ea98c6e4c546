//! How much of the hub one tablet may take for its uploads, beside what it may have begun and not ended
//! ([`ALLOWANCE`](super::ALLOWANCE)): what has ended takes room too, however small it is.
//!
//! Kept in memory: a restart forgives, and nobody gains much by that.

use super::BlobError;
use standpipe_domain::ids::DeviceId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What one tablet may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// So many uploads or thumbnails' names it may announce at once, and then one more every second. A tablet that was
    /// away for months has fewer, and what waits for its turn is not lost.
    pub announced: u32,
    /// So many uploads it may send at the same moment.
    pub sending: usize,
}

impl Default for Share {
    fn default() -> Self {
        Self { announced: 20_000, sending: 16 }
    }
}

/// After so long another one may be announced.
const EACH: Duration = Duration::from_secs(1);

/// What each tablet has taken of its share.
#[derive(Default)]
pub struct Shares(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    share: Share,
    /// Until when what was announced fills the share: each takes [`EACH`] of time.
    announced: HashMap<DeviceId, Duration>,
    sending: HashMap<DeviceId, usize>,
}

/// An upload that is being sent, until this is dropped.
pub struct Sending {
    of: Arc<Mutex<Taken>>,
    device: DeviceId,
}

impl Shares {
    /// Gives every tablet another share than by default.
    pub fn set(&self, share: Share) {
        hold(&self.0).share = share;
    }

    /// Counts something that a tablet announces. `now` is a time that never goes back.
    ///
    /// # Errors
    /// [`BlobError::TooFast`]: nothing was counted.
    pub fn announce(&self, device: DeviceId, now: Duration) -> Result<(), BlobError> {
        let mut taken = hold(&self.0);
        let most = EACH * taken.share.announced;
        taken.announced.retain(|_, until| *until > now);
        let until = taken.announced.get(&device).copied().unwrap_or(now) + EACH;
        let over = until.saturating_sub(now + most);
        if !over.is_zero() {
            let wait_seconds = over.as_secs() + u64::from(over.subsec_nanos() > 0);
            return Err(BlobError::TooFast { wait_seconds });
        }
        taken.announced.insert(device, until);
        Ok(())
    }

    /// Begins to take the bytes of an upload.
    ///
    /// # Errors
    /// [`BlobError::TooManyAtOnce`].
    pub fn send(&self, device: DeviceId) -> Result<Sending, BlobError> {
        let mut taken = hold(&self.0);
        let most = taken.share.sending;
        let sending = taken.sending.entry(device).or_default();
        if *sending >= most {
            return Err(BlobError::TooManyAtOnce { most });
        }
        *sending += 1;
        Ok(Sending { of: Arc::clone(&self.0), device })
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let mut taken = hold(&self.of);
        if let Some(sending) = taken.sending.get_mut(&self.device) {
            *sending -= 1;
            if *sending == 0 {
                taken.sending.remove(&self.device);
            }
        }
    }
}

fn hold(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ONE: DeviceId = DeviceId(Uuid::from_u128(1));
    const OTHER: DeviceId = DeviceId(Uuid::from_u128(2));

    fn shares() -> Shares {
        let shares = Shares::default();
        shares.set(Share { announced: 3, sending: 2 });
        shares
    }

    fn wait(announced: Result<(), BlobError>) -> u64 {
        match announced {
            Ok(()) => 0,
            Err(BlobError::TooFast { wait_seconds }) => wait_seconds,
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn whoever_announces_much_goes_on_at_a_pace_and_others_do_not_wait() {
        let shares = shares();
        let at = |device, seconds| wait(shares.announce(device, Duration::from_secs(seconds)));
        assert_eq!([at(ONE, 100), at(ONE, 100), at(ONE, 100)], [0; 3]);
        assert_eq!([at(ONE, 100), at(OTHER, 100)], [1, 0]);
        assert_eq!([at(ONE, 101), at(ONE, 101)], [0, 1], "one more every second");
        assert_eq!(
            [at(ONE, 900), at(ONE, 900), at(ONE, 900), at(ONE, 900)],
            [0, 0, 0, 1],
            "and no more saved up"
        );
    }

    #[test]
    fn what_has_ended_makes_room() {
        let shares = shares();
        let (first, _second) = (shares.send(ONE).unwrap(), shares.send(ONE).unwrap());
        assert!(matches!(shares.send(ONE), Err(BlobError::TooManyAtOnce { most: 2 })));
        let _others = shares.send(OTHER).unwrap();
        drop(first);
        drop(shares.send(ONE).unwrap());
        assert_eq!(hold(&shares.0).sending[&ONE], 1);
    }
}
