//! The world of one machine in a simulation: virtual time, its own clock beside it, and chance out of the seed.

use crate::dice::Dice;
use crate::time::{Owner, Time};
use futures::future::BoxFuture;
use standpipe_domain::ids::Millis;
use standpipe_world::World;
use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// When simulations begin: 2023-07-01, 09:00 at the estate.
const BEGINNING: i64 = 1_688_173_200_000;

thread_local! {
    static TIME: RefCell<Option<Time>> = const { RefCell::new(None) };
}

/// The clock of this thread's simulation.
pub fn time() -> Time {
    TIME.with_borrow(|time| time.clone().expect("the clock is there while the simulation runs"))
}

/// Is over after `pause`.
pub fn pause_of(pause: Duration) -> BoxFuture<'static, ()> {
    time().sleep(pause)
}

/// Begins a simulation on this thread.
pub fn begin() -> Time {
    let time = Time::default();
    TIME.with_borrow_mut(|here| *here = Some(time.clone()));
    time
}

/// One machine's, between two starts of it.
pub struct SimWorld {
    owner: Owner,
    dice: Mutex<Dice>,
    /// What its clock is ahead of the true time, in milliseconds.
    ahead: Arc<AtomicI64>,
}

impl SimWorld {
    pub fn new(owner: Owner, seed: u64, ahead: Arc<AtomicI64>) -> Arc<Self> {
        let dice = Dice::apart(seed, &format!("machine {} life {}", owner.machine, owner.life));
        Arc::new(Self { owner, dice: Mutex::new(dice), ahead })
    }

    fn dice<T>(&self, throw: impl FnOnce(&mut Dice) -> T) -> T {
        throw(&mut self.dice.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl World for SimWorld {
    fn now(&self) -> Millis {
        let elapsed = i64::try_from(time().now().as_millis()).unwrap_or(i64::MAX);
        Millis(BEGINNING + elapsed + self.ahead.load(Relaxed))
    }

    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 10];
        self.random(&mut bytes);
        uuid::Builder::from_unix_timestamp_millis(self.now().0.unsigned_abs(), &bytes).into_uuid()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.dice(|dice| dice.fill(bytes));
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(1 << 40)
    }

    fn elapsed(&self) -> Duration {
        time().now()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        time().sleep(pause)
    }

    fn begin_aside(&self, work: Box<dyn FnOnce() + Send>) {
        time().spawn(self.owner, Box::pin(async move { work() }));
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) {
        time().spawn(self.owner, work);
    }
}

/// Whose work aside is done at once, and to whom nothing else matters.
pub struct AtOnce;

impl World for AtOnce {
    fn now(&self) -> Millis {
        Millis(BEGINNING)
    }

    fn uuid(&self) -> Uuid {
        Uuid::nil()
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn begin_aside(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}
