//! How PostgreSQL is written to: the tasks of this process one after the other, those of others before or behind.

use super::link::Link;
use super::server::Server;
use crate::store::sql::{Desk, KEEPING, Line, Settled, Sql, SqlError, Task, attempt, told};
use crate::store::{Doing, Identity, StoreError};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use uuid::Uuid;

/// Where processes tell each other of sites that have something new.
pub(super) const CHANNEL: &str = "standpipe";

/// Nothing was read before the lock is held, and each statement behind it sees all that was committed before. Whoever holds
/// it has committed, and is seen, before the next one numbers anything: so numbers come in the order of commit.
pub(super) const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT one FROM hub FOR UPDATE";

/// The connection that writes, for as long as it holds.
pub(in crate::store) struct Post {
    server: Server,
    link: Option<Link>,
    /// Names this process to the others.
    own: Uuid,
}

impl Post {
    pub(super) fn new(server: Server, link: Link, own: Uuid) -> Self {
        Self { server, link: Some(link), own }
    }

    /// A connection that holds the lock. One that was lost while nobody wrote is met by a fresh one; where the server itself
    /// says no, or nothing, another one would hear the same.
    fn begun(&mut self) -> Result<Link, StoreError> {
        if let Some(link) = self.link.take() {
            link.hurry();
            match link.batch(BEGIN) {
                Err(SqlError::Lost(why)) => {
                    tracing::warn!(why, "the connection to the database was lost; trying another");
                }
                begun => return begun.doing(KEEPING).map(|()| link),
            }
        }
        let link = self.server.connect_again()?;
        link.batch(BEGIN).doing(KEEPING)?;
        Ok(link)
    }
}

impl Line for Post {
    fn settle(&mut self, identity: &Identity, tasks: Vec<Task>) -> Result<Settled, StoreError> {
        self.server.turn.may_write(self.server.patience.unsure)?;
        let link = self.begun()?;
        let settled = together(&link, identity, tasks, self.own)?;
        // Whatever went wrong before this, the server takes back what was begun on a connection that goes away.
        self.link = Some(link);
        Ok(settled)
    }
}

fn together(link: &Link, identity: &Identity, tasks: Vec<Task>, own: Uuid) -> Result<Settled, StoreError> {
    let mut pokes = BTreeSet::new();
    let mut results = Vec::with_capacity(tasks.len());
    let run = |sql: &str| link.batch(sql).doing(KEEPING);
    for task in tasks {
        run("SAVEPOINT task")?;
        let mut desk = Desk::new(link, identity);
        // PostgreSQL goes on with nothing behind a statement that failed, whatever the task made of it.
        let result = attempt(task, &mut desk).and_then(|()| run("RELEASE SAVEPOINT task"));
        match result {
            Ok(()) => pokes.append(&mut desk.pokes),
            Err(_) => run("ROLLBACK TO SAVEPOINT task; RELEASE SAVEPOINT task")?,
        }
        results.push(result);
    }
    // Told to the others by the server, once it is durable.
    let mut end = String::new();
    for site in &pokes {
        // Text takes whatever is written to it.
        let _ = write!(end, "NOTIFY {CHANNEL}, '{own} {site}'; ");
    }
    end.push_str("COMMIT");
    match run(&end) {
        Ok(()) => Ok((results, pokes)),
        Err(error @ StoreError::Away { .. }) => {
            tracing::error!(%error, tasks = results.len(), "nobody knows whether a transaction was kept");
            // Where it was, whoever tries again finds everything there, and has nothing to tell: so it is told now.
            let lost = |result: Result<(), StoreError>| result.and_then(|()| Err(told(&error)));
            Ok((results.into_iter().map(lost).collect(), pokes))
        }
        Err(error) => Err(error),
    }
}
