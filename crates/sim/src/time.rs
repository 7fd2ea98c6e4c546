//! One thread, many machines, virtual time: what can run runs in turn, and when nothing can, the clock goes on to the
//! next moment at which something can.

use futures::channel::oneshot;
use futures::future::{BoxFuture, LocalBoxFuture};
use futures::task::{ArcWake, waker};
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// The tasks and the clock of one simulation.
#[derive(Clone, Default)]
pub struct Time(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<Duration>,
    made: Cell<u64>,
    tasks: RefCell<BTreeMap<u64, Task>>,
    /// Those that were woken since the round began. They run in the order in which they began, whoever was woken first: a
    /// library may wake several in an order that chance deals.
    ready: Arc<Mutex<BTreeSet<u64>>>,
    /// Those of this round that are still to run.
    round: RefCell<VecDeque<u64>>,
    timers: RefCell<BinaryHeap<Reverse<Timer>>>,
}

struct Task {
    owner: Owner,
    future: LocalBoxFuture<'static, ()>,
}

/// Whose task it is: a machine, between two starts of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    pub machine: u32,
    pub life: u32,
}

struct Timer {
    at: Duration,
    order: u64,
    ring: oneshot::Sender<()>,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Timer {}
impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

struct Wake {
    task: u64,
    ready: Arc<Mutex<BTreeSet<u64>>>,
}

impl ArcWake for Wake {
    fn wake_by_ref(this: &Arc<Self>) {
        this.ready.lock().unwrap_or_else(PoisonError::into_inner).insert(this.task);
    }
}

impl Time {
    pub fn now(&self) -> Duration {
        self.0.now.get()
    }

    fn number(&self) -> u64 {
        let number = self.0.made.get() + 1;
        self.0.made.set(number);
        number
    }

    /// Begins a task.
    pub fn spawn(&self, owner: Owner, future: LocalBoxFuture<'static, ()>) {
        let task = self.number();
        self.0.tasks.borrow_mut().insert(task, Task { owner, future });
        self.0.ready.lock().unwrap_or_else(PoisonError::into_inner).insert(task);
    }

    /// Is over after `pause`.
    pub fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        let (ring, rung) = oneshot::channel();
        let at = self.now().saturating_add(pause);
        self.0.timers.borrow_mut().push(Reverse(Timer { at, order: self.number(), ring }));
        Box::pin(async move {
            // Whoever drops the clock needs no ring.
            let _ = rung.await;
        })
    }

    /// Ends every task of a machine's life, wherever it stands.
    pub fn end(&self, owner: Owner) {
        loop {
            // What a task drops may end, or begin, others: one at a time, and nothing held meanwhile.
            let mut tasks = self.0.tasks.borrow_mut();
            let Some(task) = tasks.iter().find(|(_, task)| task.owner == owner).map(|(id, _)| *id) else {
                return;
            };
            let task = tasks.remove(&task);
            drop(tasks);
            drop(task);
        }
    }

    /// Lets one task run up to where it waits, or the clock go on to the next moment, but not past `until`. `false` when
    /// that moment has come and nothing can run.
    pub fn step(&self, until: Duration) -> bool {
        let mut round = self.0.round.borrow_mut();
        if round.is_empty() {
            let mut ready = self.0.ready.lock().unwrap_or_else(PoisonError::into_inner);
            round.extend(std::mem::take(&mut *ready));
        }
        let next = round.pop_front();
        drop(round);
        if let Some(id) = next {
            self.poll(id);
            return true;
        }
        let mut timers = self.0.timers.borrow_mut();
        match timers.pop() {
            Some(Reverse(timer)) if timer.at <= until => {
                drop(timers);
                self.0.now.set(self.now().max(timer.at));
                let _ = timer.ring.send(());
                true
            }
            later => {
                timers.extend(later);
                drop(timers);
                self.0.now.set(self.now().max(until));
                false
            }
        }
    }

    /// Goes on until the future is ready.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        let mut context = Context::from_waker(futures::task::noop_waker_ref());
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
                return done;
            }
            assert!(self.step(Duration::MAX), "nothing will ever make this ready");
        }
    }

    fn poll(&self, id: u64) {
        let Some(mut task) = self.0.tasks.borrow_mut().remove(&id) else { return };
        let waker = waker(Arc::new(Wake { task: id, ready: Arc::clone(&self.0.ready) }));
        if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.0.tasks.borrow_mut().insert(id, task);
        }
    }
}
