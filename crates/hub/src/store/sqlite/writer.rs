//! The one writer: the only connection that writes, at which one task works at a time.
//!
//! What arrives while a transaction is being made durable waits, and then shares the next one: under load many requests
//! share one fsync. Each task stands in a savepoint of its own, so that one that fails takes back only itself.

use crate::store::sql::Desk;
use crate::store::{Doing, Identity, StoreError};
use crate::world::World;
use rusqlite::Connection;
use standpipe_domain::ids::SiteId;
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, oneshot};

/// The most tasks that share a transaction, so that none waits long for the others.
const TOGETHER: usize = 64;
/// Pokes that a slow listener may lag behind.
const POKES: usize = 64;

const KEEPING: &str = "keeping a change";

type Task = Box<dyn FnOnce(&mut Desk<'_>) -> Result<(), StoreError> + Send>;

struct Job {
    task: Task,
    done: oneshot::Sender<Result<(), StoreError>>,
}

pub(super) struct Writer {
    world: Arc<dyn World>,
    table: Arc<Table>,
}

/// Where tasks wait, and the connection that serves them.
struct Table {
    queue: Mutex<Queue>,
    connection: Mutex<Option<Connection>>,
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

impl Writer {
    pub(super) fn new(connection: Connection, identity: Arc<Identity>, world: Arc<dyn World>) -> Self {
        let (changes, _) = broadcast::channel(POKES);
        let connection = Mutex::new(Some(connection));
        Self { world, table: Arc::new(Table { queue: Mutex::default(), connection, identity, changes }) }
    }

    pub(super) fn changes(&self) -> broadcast::Receiver<SiteId> {
        self.table.changes.subscribe()
    }

    /// Does `task`, and gives its result once it is durable.
    pub(super) async fn run<T: Send + 'static>(
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
    pub(super) async fn stop(&self) {
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

impl Table {
    /// Works until nobody waits.
    fn serve(&self) {
        let mut connection = hold(&self.connection);
        loop {
            let mut queue = hold(&self.queue);
            let together = queue.jobs.len().min(TOGETHER);
            let jobs: Vec<Job> = queue.jobs.drain(..together).collect();
            if jobs.is_empty() {
                queue.is_served = false;
                if let Some(closing) = queue.closing.take() {
                    drop(connection.take());
                    let _ = closing.send(());
                }
                return;
            }
            drop(queue);
            // Whoever is not served is told so, by its sender that is dropped.
            let Some(connection) = connection.as_ref() else { continue };
            for site in settle(connection, &self.identity, jobs) {
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

/// Does the jobs in one transaction, and answers each. Gives the sites that have something new.
fn settle(connection: &Connection, identity: &Identity, jobs: Vec<Job>) -> BTreeSet<SiteId> {
    let (tasks, answers): (Vec<Task>, Vec<_>) = jobs.into_iter().map(|job| (job.task, job.done)).unzip();
    match together(connection, identity, tasks) {
        Ok((results, pokes)) => {
            for (answer, result) in answers.into_iter().zip(results) {
                let _ = answer.send(result);
            }
            pokes
        }
        Err(error) => {
            // Fails when SQLite has rolled back by itself, and then there is nothing left to undo.
            let _ = connection.execute_batch("ROLLBACK");
            tracing::error!(%error, tasks = answers.len(), "a transaction was not kept");
            for answer in answers {
                let _ = answer.send(Err(told(&error)));
            }
            BTreeSet::new()
        }
    }
}

type Settled = (Vec<Result<(), StoreError>>, BTreeSet<SiteId>);

fn together(connection: &Connection, identity: &Identity, tasks: Vec<Task>) -> Result<Settled, StoreError> {
    let mut pokes = BTreeSet::new();
    let mut results = Vec::with_capacity(tasks.len());
    let run = |sql| connection.execute_batch(sql).doing(KEEPING);
    let is_alone = tasks.len() == 1;
    run("BEGIN IMMEDIATE")?;
    for task in tasks {
        if !is_alone {
            run("SAVEPOINT task")?;
        }
        let mut desk = Desk::new(connection, identity);
        let result = catch_unwind(AssertUnwindSafe(|| task(&mut desk)))
            .unwrap_or_else(|_| Err(failed("the program gave up on it".into())));
        match &result {
            Ok(()) => pokes.append(&mut desk.pokes),
            // On a full disk SQLite may have rolled back everything: then nobody's change was kept.
            Err(error) if connection.is_autocommit() => return Err(told(error)),
            Err(_) if is_alone => {
                run("ROLLBACK")?;
                return Ok((vec![result], pokes));
            }
            Err(_) => run("ROLLBACK TO task")?,
        }
        if !is_alone {
            run("RELEASE task")?;
        }
        results.push(result);
    }
    run("COMMIT")?;
    Ok((results, pokes))
}

/// What each is told whose change was not kept because of `error`.
fn told(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full { .. } => StoreError::Full { doing: KEEPING },
        error => failed(error.to_string()),
    }
}

fn failed(text: String) -> StoreError {
    StoreError::Database { doing: KEEPING, source: text.into() }
}
