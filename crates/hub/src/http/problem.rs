//! How a request that could not be done is answered: a status and an [`ApiProblem`], whatever went wrong.

use super::MAX_JSON;
use crate::blobs::{ALLOWANCE, BlobError, Cut};
use crate::founding::NotSetUp;
use crate::ingest::NotTaken;
use crate::issues::NotMoved;
use crate::secret::Unhashable;
use crate::store::StoreError;
use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use standpipe_domain::issue::NoStep;
use standpipe_domain::office::ApiProblem;
use standpipe_oplog::wire::{MAX_BODY, Malformed};
use std::error::Error;
use std::fmt::Display;

/// So many seconds a tablet waits until some of its uploads may have ended.
const BUSY: u64 = 60;

/// So many seconds one waits for a database that is away.
const AWAY: u64 = 5;

/// A request that could not be done.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    body: ApiProblem,
}

impl Problem {
    pub fn new(status: StatusCode, code: &str, message: impl Display) -> Self {
        let body = ApiProblem { code: code.to_owned(), message: message.to_string(), details: json!({}) };
        Self { status, body }
    }

    /// With facts for the screen's sentence.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.body.details = details;
        self
    }

    /// With the most that there may be, in the unit that the message names.
    #[must_use]
    pub fn limit(self, most: usize) -> Self {
        self.with(json!({ "limit": most }))
    }

    /// A fault of the hub's own. What exactly it was stands in the log: it may name files and tables.
    pub fn fault(code: &str, error: &dyn Display) -> Self {
        tracing::error!(code, %error, "a request failed by the hub's own fault: {error}");
        let message = "the hub could not do this by a fault of its own; its log says which";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
    }

    pub fn unknown(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown", format_args!("there is no such {what}"))
    }

    pub fn not_allowed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-allowed", "this person may not do this")
    }

    /// A request that does not read as it must.
    pub fn malformed(message: impl Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", message)
    }

    /// A part of a request that did not read; `most` bytes it may have.
    fn rejected(status: StatusCode, message: impl Display, most: usize) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let message = format_args!("{message}; at most {most} bytes");
                Self::new(status, "too-large", message).limit(most)
            }
            _ => Self::new(status, "malformed", message),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let wait = self.body.details["wait_seconds"].as_u64();
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(wait) = wait {
            response.headers_mut().insert(RETRY_AFTER, wait.into());
        }
        response
    }
}

macro_rules! rejections {
    ($($rejection:ident: $most:expr;)*) => {$(
        impl From<$rejection> for Problem {
            fn from(rejection: $rejection) -> Self {
                if let Some(cut) = cut(&rejection) {
                    return Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", cut);
                }
                Self::rejected(rejection.status(), rejection.body_text(), $most)
            }
        }
    )*};
}

// Only what tablets push is taken as bytes.
rejections! { JsonRejection: MAX_JSON; PathRejection: MAX_JSON; QueryRejection: MAX_JSON; BytesRejection: MAX_BODY; }

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stopped => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), error),
            StoreError::Away { .. } => {
                // What exactly was said stands in the log: it may name servers.
                tracing::error!(%error, "a request met a database that is away: {error}");
                let message = "the office's database does not answer for now; it is worth trying again soon";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), message)
                    .with(json!({ "wait_seconds": AWAY }))
            }
            StoreError::TooLarge { limit } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.code(), error).limit(limit)
            }
            StoreError::Full { .. } => Self::new(StatusCode::INSUFFICIENT_STORAGE, error.code(), error),
            StoreError::QuarantineFull { ops, bytes } => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, error.code(), error)
                    .with(json!({ "limit": ops, "bytes": bytes }))
            }
            _ => Self::fault(error.code(), &error),
        }
    }
}

impl From<Unhashable> for Problem {
    fn from(error: Unhashable) -> Self {
        Self::fault("unhashable", &error)
    }
}

impl From<NotSetUp> for Problem {
    fn from(error: NotSetUp) -> Self {
        Self::fault("not-set-up", &error)
    }
}

impl From<NotTaken> for Problem {
    fn from(error: NotTaken) -> Self {
        let status = match error.code() {
            "too-large" | "too-many" => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        match error {
            NotTaken::Malformed(Malformed::TooLarge) => {
                Self::new(status, error.code(), error).limit(MAX_BODY)
            }
            NotTaken::Malformed(Malformed::TooMany(limit)) => {
                Self::new(status, error.code(), error).limit(limit)
            }
            NotTaken::Malformed(_) => Self::new(status, error.code(), error),
            NotTaken::Store(error) => error.into(),
        }
    }
}

impl From<NotMoved> for Problem {
    fn from(error: NotMoved) -> Self {
        match error {
            NotMoved::Unknown(_) => Self::unknown("issue"),
            NotMoved::UnknownAssignee => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown-assignee", error)
            }
            NotMoved::NoStep(no) => no.into(),
            NotMoved::Store(error) => error.into(),
        }
    }
}

impl From<NoStep> for Problem {
    fn from(no: NoStep) -> Self {
        let status = match no {
            NoStep::NotFromHere { .. } | NoStep::MovedOn { .. } | NoStep::OwnClaim => StatusCode::CONFLICT,
            NoStep::NotAllowed => StatusCode::FORBIDDEN,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        // The type's own serialisation holds the code and the facts.
        let details = serde_json::to_value(&no).unwrap_or_default();
        let code = details["code"].as_str().unwrap_or("no-step").to_owned();
        Self::new(status, &code, no).with(details)
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        let code = error.code();
        let (status, details) = match error {
            BlobError::UnknownUpload => (StatusCode::NOT_FOUND, json!({})),
            BlobError::Expired => (StatusCode::GONE, json!({})),
            BlobError::WrongOffset { at } => (StatusCode::CONFLICT, json!({ "offset": at })),
            BlobError::Interrupted => (StatusCode::CONFLICT, json!({})),
            // Of the checksum extension of tus; it has no name in the registry.
            BlobError::ChecksumMismatch => (status(460), json!({})),
            BlobError::HashMismatch { sha256 } => {
                (StatusCode::UNPROCESSABLE_ENTITY, json!({ "sha256": sha256 }))
            }
            BlobError::BeyondLength { bytes } => (StatusCode::PAYLOAD_TOO_LARGE, json!({ "limit": bytes })),
            BlobError::TooLarge { limit, .. } => (StatusCode::PAYLOAD_TOO_LARGE, json!({ "limit": limit })),
            BlobError::TooManyUploads => {
                let details =
                    json!({ "limit": ALLOWANCE.uploads, "bytes": ALLOWANCE.bytes, "wait_seconds": BUSY });
                (StatusCode::TOO_MANY_REQUESTS, details)
            }
            BlobError::TooFast { wait_seconds } => {
                (StatusCode::TOO_MANY_REQUESTS, json!({ "wait_seconds": wait_seconds }))
            }
            BlobError::TooManyAtOnce { most } => {
                (StatusCode::TOO_MANY_REQUESTS, json!({ "limit": most, "wait_seconds": BUSY }))
            }
            BlobError::NoRoom => (StatusCode::INSUFFICIENT_STORAGE, json!({})),
            BlobError::Store(error) => return error.into(),
            BlobError::Spoilt { .. } | BlobError::Disk { .. } | BlobError::Shelf { .. } => {
                return Self::fault(code, &error);
            }
        };
        Self::new(status, code, error).with(details)
    }
}

/// Whether a body was cut because it hardly moved.
fn cut<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Cut> {
    error.downcast_ref().or_else(|| cut(error.source()?))
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::BAD_REQUEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_worth_waiting_for_and_says_nothing_of_where_it_is() {
        let error = StoreError::Away { doing: "keeping a change", detail: "10.0.0.7 refused".into() };
        let problem = Problem::from(error);
        assert_eq!(problem.body.code, "database-away");
        assert!(!problem.body.message.contains("10.0.0.7"));
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "5");
    }
}
