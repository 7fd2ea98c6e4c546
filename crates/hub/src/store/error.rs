//! Why the store could not do something.

use super::sql::SqlError;
use standpipe_domain::record::Unreadable;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Why the store could not do something. Nothing of it was done, but where it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{doing}: the office's disk is full; nothing of it was kept, make room, then try again")]
    Full { doing: &'static str },
    /// The database itself refused: a damaged file, a lost connection.
    #[error("{doing}: {source}")]
    Database { doing: &'static str, source: Box<dyn Error + Send + Sync> },
    /// The program itself panicked at it.
    #[error("{doing}: the program has a fault, and gave up on it")]
    GaveUp { doing: &'static str },
    /// Nobody knows whether it was kept: it is to be done again, which does no harm.
    #[error("{doing}: the office's database cannot do it for now; try again soon ({detail})")]
    Away { doing: &'static str, detail: String },
    #[error(
        "the database {} is damaged ({detail}). Do not delete it, nor the files beside it: much of it may still be read. Stop \
         the hub, set the folder aside and restore the last backup, as docs/operate.md says under \"The database is damaged\"",
        path.display()
    )]
    Damaged { path: PathBuf, detail: String },
    #[error("the database cannot be used: {detail}")]
    Unsuitable { detail: String },
    /// A row does not say what it must: the database was changed by something else than this program.
    #[error("{doing}: what the database holds cannot be read ({detail}); restore it from a backup")]
    Unreadable { doing: &'static str, detail: String },
    #[error(
        "the database was written by a newer Standpipe (version {found}, this one knows {known}): install that one"
    )]
    Newer { found: u32, known: u32 },
    #[error(
        "the office keeps at most {ops} operations of {bytes} bytes together aside of one tablet, and nothing of this push was kept: have the office look at what it set aside"
    )]
    QuarantineFull { ops: u64, bytes: u64 },
    #[error(
        "one change may have {limit} bytes at most, and nothing of this one was kept: make it in several"
    )]
    TooLarge { limit: usize },
    #[error("the hub is shutting down; try again at once")]
    Stopped,
}

impl StoreError {
    /// The same, of the database in this file: says so where the file is damaged.
    #[must_use]
    pub fn of_file(self, path: &Path) -> Self {
        match self {
            Self::Database { source, .. } if is_damaged(&*source) => {
                Self::Damaged { path: path.to_owned(), detail: source.to_string() }
            }
            error => error,
        }
    }

    /// Whether it failed at what it was to do, and not because of the state that the database is in: whatever else is to be
    /// done may well succeed, and this one will not by being tried again.
    pub fn is_of_the_work(&self) -> bool {
        match self {
            Self::GaveUp { .. } | Self::Unreadable { .. } | Self::TooLarge { .. } => true,
            Self::Database { source, .. } => source.downcast_ref().is_some_and(SqlError::is_unfit),
            _ => false,
        }
    }

    /// A stable code for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "hub-full",
            Self::Database { .. } | Self::GaveUp { .. } => "database",
            Self::Away { .. } => "database-away",
            Self::Damaged { .. } => "database-damaged",
            Self::Unsuitable { .. } => "database-unsuitable",
            Self::Unreadable { .. } => "unreadable",
            Self::Newer { .. } => "database-newer",
            Self::QuarantineFull { .. } => "quarantine-full",
            Self::TooLarge { .. } => "too-large",
            Self::Stopped => "stopping",
        }
    }
}

impl SqlError {
    /// Whether it is a value that cannot be written, or read, or not beside what is there.
    fn is_unfit(&self) -> bool {
        use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
        match self {
            Self::Unfit(_)
            | Self::Cell { .. }
            | Self::Beyond
            | Self::Sqlite(rusqlite::Error::ToSqlConversionFailure(_)) => true,
            Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) => {
                matches!(failure.code, ConstraintViolation | TooBig | TypeMismatch)
            }
            _ => false,
        }
    }
}

impl From<Unreadable> for StoreError {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable { doing: "reading a record", detail: error.to_string() }
    }
}

/// Whether a file that is no sound database is behind an error, however deep.
fn is_damaged(error: &(dyn Error + 'static)) -> bool {
    let sqlite = match error.downcast_ref() {
        Some(SqlError::Sqlite(error)) => Some(error),
        _ => error.downcast_ref(),
    };
    match sqlite {
        Some(rusqlite::Error::SqliteFailure(failure, _)) => {
            matches!(failure.code, rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        }
        _ => error.source().is_some_and(is_damaged),
    }
}

/// Whether a full disk is behind an error, however deep.
pub fn is_full(error: &(dyn Error + 'static)) -> bool {
    let mut inner = Some(error);
    while let Some(error) = inner {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return matches!(io.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        }
        match error.downcast_ref() {
            Some(SqlError::Sqlite(error)) => return is_full(error),
            Some(SqlError::Full(_)) => return true,
            _ => {}
        }
        if let Some(rusqlite::Error::SqliteFailure(failure, _)) = error.downcast_ref() {
            return failure.code == rusqlite::ErrorCode::DiskFull;
        }
        inner = error.source();
    }
    false
}

/// Says what was being done when something failed.
pub trait Doing<T> {
    /// The database failed while `doing`.
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
    /// What the database holds could not be read while `doing`.
    fn reading(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T, E: Error + Send + Sync + 'static> Doing<T> for Result<T, E> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| {
            if is_full(&source) {
                return StoreError::Full { doing };
            }
            match (&source as &dyn Error).downcast_ref() {
                Some(
                    SqlError::Away(detail)
                    | SqlError::Lost(detail)
                    | SqlError::Silent(detail)
                    | SqlError::Held(detail),
                ) => StoreError::Away { doing, detail: detail.clone() },
                _ => StoreError::Database { doing, source: Box::new(source) },
            }
        })
    }

    fn reading(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::Unreadable { doing, detail: error.to_string() })
    }
}
