//! What PostgreSQL says, in the words of the store.

use crate::store::sql::SqlError;
use std::error::Error as _;
use std::io;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// What PostgreSQL says, in the words of the store.
pub(super) fn fault(error: &Error) -> SqlError {
    let text = words(error);
    let Some(said) = error.as_db_error() else {
        return if error.is_closed() || is_io(error) {
            SqlError::Lost(text)
        } else if error.source().is_some_and(<dyn std::error::Error>::is::<SqlError>) {
            // Of a value that was to be sent.
            SqlError::Unfit(text)
        } else {
            SqlError::Refused(text)
        };
    };
    match said.code() {
        code if *code == SqlState::DISK_FULL => SqlError::Full(text),
        // Whoever says so ends the session, and not only the statement.
        _ if is_end(said) => SqlError::Lost(text),
        code if *code == SqlState::LOCK_NOT_AVAILABLE => SqlError::Held(text),
        code if is_away(code) => SqlError::Away(text),
        code if is_unfit(code) => SqlError::Unfit(text),
        _ => SqlError::Refused(text),
    }
}

/// All of what an error says.
pub(super) fn words(error: &Error) -> String {
    match error.source() {
        Some(inner) => format!("{error}: {inner}"),
        None => error.to_string(),
    }
}

/// Whether it is the line that failed, and not the server that said something.
pub(super) fn is_io(error: &Error) -> bool {
    error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>)
}

fn is_end(said: &DbError) -> bool {
    matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

/// Whether it is what was to be written that is refused: anything else may well be taken.
fn is_unfit(code: &SqlState) -> bool {
    // Values; constraints; limits of size; what somebody's own trigger says; and whatever stands behind one of these.
    ["21", "22", "23", "54", "P0"].iter().any(|class| code.code().starts_with(class))
        || *code == SqlState::IN_FAILED_SQL_TRANSACTION
}

/// Whether it is worth trying again: the server stops, starts, or is short of something.
fn is_away(code: &SqlState) -> bool {
    // Connections; short of something; somebody intervened.
    ["08", "53", "57"].iter().any(|class| code.code().starts_with(class))
        || [
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            // It was the first server until a moment ago.
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ]
        .contains(code)
}
