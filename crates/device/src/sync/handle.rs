//! The driver as the app holds it.

use super::driver::{Driver, Sleep};
use super::fetch::{NotFetched, Order};
use super::hub_client::Outside;
use super::standing::{Due, Standing};
use crate::store::Store;
use standpipe_domain::hold::Surroundings;
use standpipe_domain::ids::{RoundId, Sha256};
use standpipe_domain::sync::SyncLine;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use tokio::sync::{mpsc, oneshot, watch};

/// A driver that runs on a thread of its own. It stops when this is dropped; nothing is lost by that at any moment.
pub struct Handle {
    standing: Arc<Standing>,
    orders: mpsc::UnboundedSender<Order>,
    stop: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    /// Starts to synchronise `store`, for ever. `tell` is called with the line whenever it changes, on any thread; it
    /// must return at once and not call back into the handle.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(store: Arc<Store>, tell: impl Fn(SyncLine) + Send + Sync + 'static) -> io::Result<Self> {
        let outside = Outside::network(Arc::clone(store.outside()));
        let world = Arc::clone(store.outside());
        let standing = Arc::new(Standing::new(store, Box::new(tell)));
        let sleep: Sleep = Arc::new(move |pause| world.sleep(pause));
        let driver = Driver::new(Arc::clone(&standing), sleep, outside);
        let (orders, ordered) = mpsc::unbounded_channel();
        let stop = watch::Sender::new(false);
        let mut stopped = stop.subscribe();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = Builder::new().name("sync".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = driver.run(ordered) => {}
                    _ = stopped.wait_for(|stopped| *stopped) => {}
                }
            });
            // A look at a large clip need not be waited for: it changes nothing.
            runtime.shutdown_background();
        })?;
        Ok(Self { standing, orders, stop, thread: Mutex::new(Some(thread)) })
    }

    /// The driver without a thread of its own: it works while `work` is polled, and waits as the store's world does.
    #[cfg(any(test, feature = "testing"))]
    pub fn on_one_thread(
        store: Arc<Store>,
        outside: Outside,
        tell: impl Fn(SyncLine) + Send + Sync + 'static,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let world = Arc::clone(store.outside());
        let standing = Arc::new(Standing::new(store, Box::new(tell)));
        let sleep: Sleep = Arc::new(move |pause| world.sleep(pause));
        let driver = Driver::new(Arc::clone(&standing), sleep, outside);
        let (orders, ordered) = mpsc::unbounded_channel();
        let handle = Self { standing, orders, stop: watch::Sender::new(false), thread: Mutex::default() };
        (handle, driver.run(ordered))
    }

    /// Do not wait for the next minute. Changes of the store do this by themselves.
    pub fn wake(&self) {
        self.standing.wake();
    }

    /// Somebody asks: everything is tried now, also what was set aside.
    pub fn sync_now(&self) {
        let mut due = self.standing.due();
        *due = Due { greet: true, pull: true, retry: true, offer: true, ..*due };
        drop(due);
        self.standing.wake();
    }

    /// The tablet has woken, somebody looks at it again, or its network has come back: the hub is asked at once, and should that
    /// be too early, again after the shortest pause. What was set aside stays as it is, so this may be called at any time.
    pub fn come_back(&self) {
        self.standing.come_back();
    }

    /// Asks the hub soon how it stands: which backups it has made.
    pub fn greet(&self) {
        self.standing.due().greet = true;
        self.standing.wake();
    }

    /// As [`Handle::sync_now`], and nothing that the office had confirmed counts as safe until it has confirmed it once more,
    /// each photo among it.
    pub fn confirm_all(&self) {
        self.standing.doubt_all();
        self.sync_now();
    }

    /// What the tablet stands in has changed, or was looked at again. Until this is called
    /// what the person chose to wait waits.
    pub fn surrounded_by(&self, surroundings: Surroundings) {
        self.standing.surround(surroundings);
    }

    /// The originals that wait by the person's choice go all the same, until none of them waits; with `false`, they wait
    /// again.
    pub fn send_all_the_same(&self, all_the_same: bool) {
        self.standing.release(all_the_same);
    }

    /// Somebody looks at the seals of a round: the office is asked, once it answers, which of the photos in them it has that
    /// this tablet did not send itself.
    pub fn ask_of_sealed(&self, round: RoundId) {
        self.standing.look_at(round);
    }

    /// How it stands now.
    pub fn line(&self) -> SyncLine {
        self.standing.line()
    }

    /// Fetches an original from the office into the vault; `progress` is told of each percent that has come, on any
    /// thread, and the receiver says when it is there.
    pub fn fetch_original(
        &self,
        sha256: Sha256,
        progress: impl Fn(u8) + Send + Sync + 'static,
    ) -> oneshot::Receiver<Result<(), NotFetched>> {
        let (answer, receiver) = oneshot::channel();
        // A driver that has stopped drops the answer, and the receiver says so.
        let _ = self.orders.send(Order { sha256, progress: Box::new(progress), answer });
        receiver
    }

    /// Stops, and waits until nothing of it runs any more.
    pub fn stop(&self) {
        self.stop.send_replace(true);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A driver that panicked has stopped too, and the panic was logged where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
