//! How SQLite's connections write and read.

use super::open::read_only;
use crate::store::sql::{Desk, KEEPING, Line, Settled, Source, Task, attempt, told};
use crate::store::{Doing, Identity, StoreError};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::PathBuf;

impl Line for Connection {
    fn settle(&mut self, identity: &Identity, tasks: Vec<Task>) -> Result<Settled, StoreError> {
        let settled = together(self, identity, tasks);
        if settled.is_err() {
            // Fails when SQLite has rolled back by itself, and then there is nothing left to undo.
            let _ = self.execute_batch("ROLLBACK");
        }
        settled
    }
}

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
        let result = attempt(task, &mut desk);
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

/// The file that readers open.
pub(in crate::store) struct ForReading(pub PathBuf);

impl Source for ForReading {
    type Line = Connection;
    const SNAPSHOT: &'static str = "BEGIN";

    fn line(&self) -> Result<Connection, StoreError> {
        read_only(&self.0)
    }
}
