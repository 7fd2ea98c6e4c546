//! The one writer of this process: the only connection that writes, at which one task works at a time.
//!
//! What arrives while a transaction is being made durable waits, and then shares the next one: under load many requests
//! share one fsync. Each task stands in a savepoint of its own, so that one that fails takes back only itself.

use super::Desk;
use crate::store::{Identity, StoreError};
use crate::world::World;
use standpipe_domain::ids::SiteId;
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, oneshot};

/// The most tasks that share a transaction, so that none waits long for the others.
const TOGETHER: usize = 64;
/// Pokes that a slow listener may lag behind.
const POKES: usize = 64;

pub(in crate::store) const KEEPING: &str = "keeping a change";

pub(in crate::store) type Task = Box<dyn FnOnce(&mut Desk<'_>) -> Result<(), StoreError> + Send>;

/// What became of each task, in their order, and the sites that have something new.
pub(in crate::store) type Settled = (Vec<Result<(), StoreError>>, BTreeSet<SiteId>);

/// A connection that writes.
pub(in crate::store) trait Line: Send + 'static {
    /// Does the tasks in one transaction, which is durable then. Each stands in a savepoint of its own, so that one that
    /// fails takes back only itself.
    ///
    /// # Errors
    /// Nothing of any of them was kept, or nobody knows whether it was.
    fn settle(&mut self, identity: &Identity, tasks: Vec<Task>) -> Result<Settled, StoreError>;
}

struct Job {
    task: Task,
    done: oneshot::Sender<Result<(), StoreError>>,
}

pub(in crate::store) struct Writer<L> {
    world: Arc<dyn World>,
    table: Arc<Table<L>>,
}

/// Where tasks wait, and the connection that serves them.
struct Table<L> {
    queue: Mutex<Queue>,
    line: Mutex<Option<L>>,
    identity: Arc<Identity>,
    changes: broadcast::Sender<SiteId>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Somebody serves the queue, and sees what is added to it.
    is_served: bool,
    /// Nothing is added any more, and whoever waits for that is told once the rest is done.
    closing: Option<oneshot::Sender<()>>,
    is_closed: bool,
}

impl<L: Line> Writer<L> {
    pub(in crate::store) fn new(line: L, identity: Arc<Identity>, world: Arc<dyn World>) -> Self {
        let (changes, _) = broadcast::channel(POKES);
        let line = Mutex::new(Some(line));
        Self { world, table: Arc::new(Table { queue: Mutex::default(), line, identity, changes }) }
    }

    /// Tells of sites that have something new, whoever wrote it.
    pub(in crate::store) fn teller(&self) -> broadcast::Sender<SiteId> {
        self.table.changes.clone()
    }

    pub(in crate::store) fn changes(&self) -> broadcast::Receiver<SiteId> {
        self.table.changes.subscribe()
    }

    /// Does `task`, and gives its result once it is durable.
    pub(in crate::store) async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (give, take) = oneshot::channel();
        let (done, durable) = oneshot::channel();
        let task = Box::new(move |desk: &mut Desk<'_>| {
            let _ = give.send(task(desk)?);
            Ok(())
        });
        self.ask(|queue| {
            if queue.is_closed {
                return Err(StoreError::Stopped);
            }
            queue.jobs.push_back(Job { task, done });
            Ok(())
        })?;
        durable.await.map_err(|_| StoreError::Stopped)??;
        take.await.map_err(|_| StoreError::Stopped)
    }

    /// Does what was asked for so far, and closes the connection.
    pub(in crate::store) async fn stop(&self) {
        let (closing, closed) = oneshot::channel();
        let asked = self.ask(|queue| {
            queue.is_closed = true;
            queue.closing = Some(closing);
            Ok(())
        });
        if asked.is_ok() {
            let _ = closed.await;
        }
    }

    fn ask(&self, add: impl FnOnce(&mut Queue) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut queue = hold(&self.table.queue);
        add(&mut queue)?;
        if !std::mem::replace(&mut queue.is_served, true) {
            drop(queue);
            let table = Arc::clone(&self.table);
            self.world.begin_aside(Box::new(move || table.serve()));
        }
        Ok(())
    }
}

impl<L: Line> Table<L> {
    /// Works until nobody waits.
    fn serve(&self) {
        let mut line = hold(&self.line);
        loop {
            let mut queue = hold(&self.queue);
            let together = queue.jobs.len().min(TOGETHER);
            let jobs: Vec<Job> = queue.jobs.drain(..together).collect();
            if jobs.is_empty() {
                queue.is_served = false;
                if let Some(closing) = queue.closing.take() {
                    drop(line.take());
                    let _ = closing.send(());
                }
                return;
            }
            drop(queue);
            // Whoever is not served is told so, by its sender that is dropped.
            let Some(line) = line.as_mut() else { continue };
            for site in settle(line, &self.identity, jobs) {
                // Nobody listening is fine.
                let _ = self.changes.send(site);
            }
        }
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A task that panics is caught, and leaves nothing half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the line do the jobs in one transaction, and answers each. Gives the sites that have something new.
fn settle<L: Line>(line: &mut L, identity: &Identity, jobs: Vec<Job>) -> BTreeSet<SiteId> {
    let (tasks, answers): (Vec<Task>, Vec<_>) = jobs.into_iter().map(|job| (job.task, job.done)).unzip();
    match line.settle(identity, tasks) {
        Ok((results, pokes)) => {
            for (answer, result) in answers.into_iter().zip(results) {
                let _ = answer.send(result);
            }
            pokes
        }
        Err(error) => {
            tracing::error!(%error, tasks = answers.len(), "a transaction was not kept");
            for answer in answers {
                let _ = answer.send(Err(told(&error)));
            }
            BTreeSet::new()
        }
    }
}

/// Does some work. Where that panics it has failed.
pub(in crate::store) fn attempt(
    work: impl FnOnce(&mut Desk<'_>) -> Result<(), StoreError>,
    desk: &mut Desk<'_>,
) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(|| work(desk)))
        .unwrap_or_else(|_| Err(StoreError::GaveUp { doing: KEEPING }))
}

/// What each is told whose change was not kept because of `error`.
pub(in crate::store) fn told(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full { .. } => StoreError::Full { doing: KEEPING },
        StoreError::Away { detail, .. } => StoreError::Away { doing: KEEPING, detail: detail.clone() },
        StoreError::Stopped => StoreError::Stopped,
        error => StoreError::Database { doing: KEEPING, source: error.to_string().into() },
    }
}
