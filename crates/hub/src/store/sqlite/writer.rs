//! The one writer: a thread with the only connection that writes.
//!
//! What arrives while a transaction is being made durable waits, and then shares the next one: under load many requests
//! share one fsync. Each task stands in a savepoint of its own, so that one that fails takes back only itself.

use super::desk::Desk;
use crate::store::{Doing, Identity, StoreError};
use rusqlite::Connection;
use standpipe_domain::ids::SiteId;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{broadcast, mpsc, oneshot};

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
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    changes: broadcast::Sender<SiteId>,
}

impl Writer {
    pub(super) fn start(connection: Connection, identity: Arc<Identity>) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(TOGETHER);
        let (changes, _) = broadcast::channel(POKES);
        let pokes = changes.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(&connection, &identity, queue, &pokes))
            .doing("starting the database's writer")?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)), changes })
    }

    pub(super) fn changes(&self) -> broadcast::Receiver<SiteId> {
        self.changes.subscribe()
    }

    /// Does `task`, and gives its result once it is durable.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let jobs = jobs.ok_or(StoreError::Stopped)?;
        let (give, take) = oneshot::channel();
        let (done, durable) = oneshot::channel();
        let task = Box::new(move |desk: &mut Desk<'_>| {
            let _ = give.send(task(desk)?);
            Ok(())
        });
        jobs.send(Job { task, done }).await.map_err(|_| StoreError::Stopped)?;
        durable.await.map_err(|_| StoreError::Stopped)??;
        take.await.map_err(|_| StoreError::Stopped)
    }

    /// Does what was asked for so far, and ends the thread.
    pub(super) async fn stop(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(|| thread.join()).await;
        }
    }
}

fn serve(
    connection: &Connection,
    identity: &Identity,
    mut queue: mpsc::Receiver<Job>,
    changes: &broadcast::Sender<SiteId>,
) {
    while let Some(first) = queue.blocking_recv() {
        let mut jobs = vec![first];
        while jobs.len() < TOGETHER
            && let Ok(next) = queue.try_recv()
        {
            jobs.push(next);
        }
        for site in settle(connection, identity, jobs) {
            // Nobody listening is fine.
            let _ = changes.send(site);
        }
    }
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
    run("BEGIN IMMEDIATE")?;
    for task in tasks {
        run("SAVEPOINT task")?;
        let mut desk = Desk::new(connection, identity);
        let result = catch_unwind(AssertUnwindSafe(|| task(&mut desk)))
            .unwrap_or_else(|_| Err(failed("the program gave up on it".into())));
        match &result {
            Ok(()) => pokes.append(&mut desk.pokes),
            // On a full disk SQLite may have rolled back everything: then nobody's change was kept.
            Err(error) if connection.is_autocommit() => return Err(told(error)),
            Err(_) => run("ROLLBACK TO task")?,
        }
        run("RELEASE task")?;
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
