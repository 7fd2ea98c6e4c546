//! What is kept and how it is asked for, in SQL that both databases know. A driver for each runs it.
//!
//! A statement is written once. What only one of the two knows stays out of it: no JSON functions (PostgreSQL's take no
//! U+0000, which hostile text may hold), no `INSERT OR REPLACE`, no sum that is not cast back to the integer it is. `?` and
//! `?1` are numbered anew for PostgreSQL, so that none may stand in a text. The log's `rowid` tells what came first; it is
//! SQLite's own, and a column like any other in PostgreSQL.

mod accounts;
mod bytes;
mod carry;
mod cell;
mod desk;
mod filing;
mod ledger;
mod log;
mod readers;
mod rebuild;
mod records;
mod replica;
mod rows;
mod seen;
mod store;
mod value;
mod writer;

pub(super) use carry::{add_up, carry, differ, is_empty};
pub(super) use cell::{Cell, Cells, Row};
pub(super) use desk::Desk;
use readers::Readers;
pub(super) use readers::Source;
#[cfg(test)]
pub(super) use rebuild::PROJECTIONS;
pub(super) use store::{AtWork, Desks};
pub(super) use value::{Bind, Kind, Value, bind};
pub(super) use writer::{KEEPING, Line, Settled, Task, Writer, attempt, told};

/// A connection that statements are run on. Which statements were prepared it keeps by their text.
pub(super) trait Sql {
    /// Runs one statement. Gives how many rows it changed.
    fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, SqlError>;

    /// Shows `take` one row after the other, until it wants no more.
    fn rows(&self, sql: &str, values: &[Value<'_>], take: &mut Take<'_>) -> Result<(), SqlError>;

    /// Runs statements without values.
    fn batch(&self, sql: &str) -> Result<(), SqlError>;

    /// What comes may take as long as it takes, to the end of the transaction: nobody waits for it.
    fn take_time(&self) {}
}

/// Takes a row, and says whether it wants another one.
pub(super) type Take<'t> = dyn FnMut(Row<'_>) -> Result<bool, SqlError> + 't;

/// Why a statement could not be run, or its row not be read.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL says that it cannot now: it is worth trying again.
    #[error("{0}")]
    Away(String),
    /// The connection to PostgreSQL is no more; another may do.
    #[error("{0}")]
    Lost(String),
    /// PostgreSQL did not answer for as long as one waited. The connection was given up.
    #[error("{0}")]
    Silent(String),
    /// Somebody else holds what is needed in PostgreSQL, and held it for as long as one waited.
    #[error("{0}")]
    Held(String),
    /// The disk of PostgreSQL is full.
    #[error("{0}")]
    Full(String),
    /// PostgreSQL does not take this value, or not beside what is there.
    #[error("{0}")]
    Unfit(String),
    /// PostgreSQL answers that it will not.
    #[error("{0}")]
    Refused(String),
    #[error("column {at} holds {found} where {wanted} is looked for")]
    Cell { at: usize, found: &'static str, wanted: &'static str },
    /// SQL's integers have a sign.
    #[error("a number is greater than any that a database counts")]
    Beyond,
}
