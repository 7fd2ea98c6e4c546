//! An office out of the SQLite file of a folder into PostgreSQL, or back: all of it, or nothing.

use super::line::BEGIN;
use super::listen::take_turn;
use super::open;
use super::server::{Server, unsuitable};
use crate::store::sql::{Sql, add_up, carry, differ, is_empty};
use crate::store::{Doing, StoreError, sqlite};
use crate::world::{World, aside};
use std::path::Path;
use std::sync::Arc;

const MOVING: &str = "moving the office";

/// An office that was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// How many operations the logs of all sites have together.
    pub operations: u64,
    /// An earlier run had moved it.
    pub was_there: bool,
}

/// Moves what the SQLite file `from` holds into the database that `url` names, which holds no office yet, in one
/// transaction. Everything is read back and compared before that ends, and the log of each site added up anew. The file is
/// made one of this version and otherwise left as it is; nobody may serve it meanwhile. `sure` is called when all is well,
/// just before it holds.
///
/// # Errors
/// With [`StoreError::Away`] nobody knows whether it holds by now: run it again. With any other nothing was moved.
pub async fn move_in(
    from: &Path,
    url: &str,
    world: Arc<dyn World>,
    sure: impl FnOnce() -> std::io::Result<()> + Send + 'static,
) -> Result<Moved, StoreError> {
    let server = Server::of(url, Arc::clone(&world))?;
    let (from, outside) = (from.to_owned(), Arc::clone(&world));
    let moved = aside(&*world, move || {
        let (file, _) = sqlite::open_file(&from, &*outside)?;
        file.batch("BEGIN").doing(MOVING)?;
        let link = server.connect()?;
        link.take_time();
        open::open(&link, &*outside)?;
        take_turn(&link)?;
        link.batch(BEGIN).doing(MOVING)?;
        if !is_empty(&link)? {
            return match differ(&file, &link)? {
                None => Ok(Moved { operations: add_up(&link)?, was_there: true }),
                Some(table) => Err(unsuitable(format!(
                    "it holds an office already, which is not this one, or has worked there since it was moved (they \
                     differ in {table})"
                ))),
            };
        }
        // It was made for whoever opens the database first.
        link.batch("DELETE FROM hub").doing(MOVING)?;
        carry(&file, &link)?;
        if let Some(table) = differ(&file, &link)? {
            let detail = format!("{table} came over differently");
            return Err(StoreError::Unreadable { doing: MOVING, detail });
        }
        let operations = add_up(&link)?;
        sure().doing(MOVING)?;
        link.batch("COMMIT").doing(MOVING)?;
        // So that the first requests are planned by what is there; it comes by itself, later.
        if let Err(error) = link.batch("ANALYZE") {
            tracing::warn!(%error, "the database was not analysed");
        }
        Ok(Moved { operations, was_there: false })
    });
    moved.await.map_err(|_| StoreError::Stopped)?
}

/// Moves what the database that `url` names holds into the SQLite file `to`, which is not there or holds no office yet, in
/// one transaction: everything is read back and compared before that ends, and the log of each site added up anew. The
/// database is made one of this version and otherwise left as it is; nobody may serve it meanwhile.
///
/// # Errors
/// Nothing was moved.
pub async fn move_out(url: &str, to: &Path, world: Arc<dyn World>) -> Result<Moved, StoreError> {
    let server = Server::of(url, Arc::clone(&world))?;
    let (to, outside) = (to.to_owned(), Arc::clone(&world));
    let moved = aside(&*world, move || {
        let link = server.connect()?;
        link.take_time();
        open::open(&link, &*outside)?;
        take_turn(&link)?;
        link.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").doing(MOVING)?;
        let (file, _) = sqlite::open_file(&to, &*outside)?;
        file.batch("BEGIN IMMEDIATE").doing(MOVING)?;
        let was_there = !is_empty(&file)?;
        if !was_there {
            // It was made for whoever opens the file first.
            file.batch("DELETE FROM hub").doing(MOVING)?;
            carry(&link, &file)?;
        }
        if let Some(table) = differ(&link, &file)? {
            return Err(unsuitable(format!("{} holds another office: they differ in {table}", to.display())));
        }
        let operations = add_up(&file)?;
        file.batch("COMMIT").doing(MOVING)?;
        Ok(Moved { operations, was_there })
    });
    moved.await.map_err(|_| StoreError::Stopped)?
}
