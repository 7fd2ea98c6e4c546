//! One request at a time works on an upload, and the newest one goes first.
//!
//! A tablet whose connection was cut comes back before the hub has noticed the cut. It must not wait for a connection
//! that is dead: so whoever comes later tells the one before to leave, and what had arrived until then is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedMutexGuard, watch};
use uuid::Uuid;

/// The uploads that somebody works on, or waits for.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<Uuid, Arc<Seat>>>);

struct Seat {
    work: Arc<tokio::sync::Mutex<()>>,
    /// Counts those who came.
    newest: watch::Sender<u64>,
}

/// The right to work on an upload until it is dropped.
pub struct Turn {
    own: u64,
    newest: watch::Receiver<u64>,
    // Dropped before the seat is given back, so that the next one finds the seat.
    _work: OwnedMutexGuard<()>,
    _seat: Arc<Seat>,
}

impl Turns {
    /// Tells whoever works on the upload to leave, and waits until they have.
    pub async fn take(&self, upload: Uuid) -> Turn {
        let seat = self.seat(upload);
        let mut own = 0;
        seat.newest.send_modify(|newest| {
            *newest += 1;
            own = *newest;
        });
        let work = Arc::clone(&seat.work).lock_owned().await;
        Turn { own, newest: seat.newest.subscribe(), _work: work, _seat: seat }
    }

    fn seat(&self, upload: Uuid) -> Arc<Seat> {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|_, seat| Arc::strong_count(seat) > 1);
        let fresh = || Arc::new(Seat { work: Arc::default(), newest: watch::Sender::new(0) });
        Arc::clone(seats.entry(upload).or_insert_with(fresh))
    }
}

impl Turn {
    /// Returns once somebody else wants to work on the upload.
    pub async fn wanted(&mut self) {
        let own = self.own;
        // The sender lives in the seat that this turn holds.
        let _ = self.newest.wait_for(|newest| *newest > own).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_comes_later_is_let_in_once_the_one_before_has_left() {
        let turns = Arc::new(Turns::default());
        let upload = Uuid::from_u128(1);
        let mut first = turns.take(upload).await;
        let second = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.take(upload).await.own }
        });
        first.wanted().await;
        assert!(!second.is_finished(), "nobody works beside another");
        drop(first);
        assert_eq!(second.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn other_uploads_do_not_wait_and_nothing_is_kept_of_those_that_ended() {
        let turns = Turns::default();
        let one = turns.take(Uuid::from_u128(1)).await;
        drop(turns.take(Uuid::from_u128(2)).await);
        drop(turns.take(Uuid::from_u128(3)).await);
        assert_eq!(turns.0.lock().unwrap().len(), 2, "the one at work, and the last one");
        drop(one);
    }
}
