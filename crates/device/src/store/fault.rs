//! What can go wrong with the tablet's database.

use crate::vault::VaultError;
use rusqlite::ErrorCode;
use std::path::PathBuf;

/// A database operation that did not happen. Whatever was recorded before it stands.
#[derive(Debug, thiserror::Error)]
#[error("{doing} failed: {fault}")]
pub struct StoreError {
    pub doing: &'static str,
    #[source]
    pub fault: Fault,
}

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the database: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error("a record could not be written or read as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the record has {bytes} bytes, more than the {limit} that can be sent: record less at once")]
    TooLarge { bytes: usize, limit: usize },
    #[error("the database {} was written by a newer version of the app (layout {found}; this version knows {known}): install the newer app", path.display())]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("this tablet is not enrolled: enrol it with a code from the office")]
    NotEnrolled,
    #[error(
        "this tablet holds records of another estate: send them to their office before enrolling elsewhere"
    )]
    OtherSite,
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl StoreError {
    /// A stable word for it, for screens.
    pub fn code(&self) -> &'static str {
        match &self.fault {
            _ if self.is_full() => "disk-full",
            _ if self.is_damage() => "damaged",
            Fault::Sql(_) | Fault::Json(_) => "database-fault",
            Fault::TooLarge { .. } => "too-large",
            Fault::Newer { .. } => "database-newer",
            Fault::NotEnrolled => "not-enrolled",
            Fault::OtherSite => "other-site",
            Fault::Vault(error) => error.code(),
        }
    }

    /// The database itself is damaged, and this is what was found.
    pub(crate) fn damaged(found: impl Into<String>) -> Self {
        let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        rusqlite::Error::SqliteFailure(corrupt, Some(found.into())).into()
    }

    fn is_full(&self) -> bool {
        self.sqlite_code() == Some(ErrorCode::DiskFull)
    }

    fn sqlite_code(&self) -> Option<ErrorCode> {
        match &self.fault {
            Fault::Sql(error) => error.sqlite_error_code(),
            _ => None,
        }
    }
}

/// An error that can be told what was being done when it happened.
pub trait Doing: From<Fault> {
    #[must_use]
    fn doing(self, what: &'static str) -> Self;
    /// Whether the database itself was found damaged.
    fn is_damage(&self) -> bool;
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        Self { doing: "using the database", fault }
    }
}

impl Doing for StoreError {
    fn doing(self, what: &'static str) -> Self {
        Self { doing: what, ..self }
    }

    fn is_damage(&self) -> bool {
        self.sqlite_code()
            .is_some_and(|code| matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sql(error).into()
    }
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        Fault::Vault(error).into()
    }
}
