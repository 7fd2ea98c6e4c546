//! Why a command could not be done, as a screen is told.

use crate::store::{Doing, Fault, StoreError};
use crate::vault::VaultError;
use serde::Serialize;
use serde_json::{Value, json};
use standpipe_domain::answer::Refusal;
use standpipe_domain::issue::NoStep;
use standpipe_domain::signoff::NoSignOff;
use standpipe_domain::tablet::Problem;
use uuid::Uuid;

/// A command that was not done. Everything that was recorded before stands.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    NoSignOff(#[from] NoSignOff),
    #[error(transparent)]
    NoStep(#[from] NoStep),
    #[error(
        "the check is sealed: what was signed does not change; write an amendment, which needs a new signature"
    )]
    Sealed,
    #[error("the check is not sealed, so it needs no amendment: change the answer itself")]
    NotSealed,
    #[error("an amendment needs its reason")]
    NoReason,
    #[error("this person may not do this")]
    NotAllowed,
    #[error("this tablet knows no {what} {id}")]
    Unknown { what: &'static str, id: Uuid },
    #[error("this version of the app does not have the check's checklist: update it to go on")]
    UnknownChecklist,
    #[error("the item has not failed, so it has no finding")]
    NotFailed,
    #[error("the field is not in conflict, or that side no longer stands: look again")]
    NotInConflict,
    #[error("this file is not being brought in: add it again")]
    UnknownUpload,
    #[error("this photo is not there")]
    UnknownPhoto,
    #[error("another window of the app works on this tablet's data: go on there, or close it first")]
    InUse,
    #[error("this site is not on the tablet any more")]
    UnknownSite,
    #[error("the system gives the app no thread: {0}")]
    NoThread(#[source] std::io::Error),
    #[error("{}", .0.message)]
    NotOpened(Problem),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// A stable word for it; the screen has a sentence for each.
    pub fn code(&self) -> String {
        self.problem().code
    }

    /// As the screen is told.
    pub fn problem(&self) -> Problem {
        let plain = |code: &str| (code.to_owned(), json!({}));
        let (code, details) = match self {
            Self::Refused(refusal) => tagged(refusal),
            Self::NoSignOff(refusal) => tagged(refusal),
            Self::NoStep(refusal) => tagged(refusal),
            Self::Sealed => plain("sealed"),
            Self::NotSealed => plain("not-sealed"),
            Self::NoReason => plain("no-reason"),
            Self::NotAllowed => plain("not-allowed"),
            Self::Unknown { what, id } => ("unknown".into(), json!({ "what": what, "id": id })),
            Self::UnknownChecklist => plain("unknown-checklist"),
            Self::NotFailed => plain("not-failed"),
            Self::NotInConflict => plain("not-in-conflict"),
            Self::UnknownUpload => plain("unknown-upload"),
            Self::UnknownPhoto => plain("unknown-photo"),
            Self::InUse => plain("in-use"),
            Self::UnknownSite => plain("unknown-site"),
            Self::NoThread(_) => plain("no-thread"),
            Self::NotOpened(problem) => (problem.code.clone(), problem.details.clone()),
            Self::Vault(error) => (error.code().into(), vault_details(error)),
            Self::Store(error) => plain(error.code()),
        };
        Problem { code, message: self.to_string(), details }
    }
}

/// The code of a refusal, and what it carries.
fn tagged(refusal: &impl Serialize) -> (String, Value) {
    let mut details = serde_json::to_value(refusal).unwrap_or_default();
    let code = details.as_object_mut().and_then(|map| map.remove("code"));
    (code.as_ref().and_then(Value::as_str).unwrap_or("refused").to_owned(), details)
}

fn vault_details(error: &VaultError) -> Value {
    match error {
        VaultError::NoRoom { needed, free } => json!({ "needed": needed, "free": free }),
        VaultError::CutShort { expected, got } => json!({ "expected": expected, "got": got }),
        _ => json!({}),
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Store(fault.into())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Doing for Error {
    fn doing(self, what: &'static str) -> Self {
        match self {
            Self::Store(error) => Self::Store(error.doing(what)),
            other => other,
        }
    }

    fn is_damage(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_damage())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_code_and_what_it_carries() {
        let refusal = Error::from(Refusal::Interlocked { items: vec!["pump-attended".into()] });
        let problem = refusal.problem();
        assert_eq!(problem.code, "interlocked");
        assert_eq!(problem.details, json!({ "items": ["pump-attended"] }));
        assert_eq!(Error::from(NoSignOff::Unanswered { count: 3 }).problem().details, json!({ "count": 3 }));
        assert_eq!(Error::from(NoStep::OwnClaim).code(), "own-claim");
    }

    #[test]
    fn no_room_says_how_much() {
        let problem = Error::from(VaultError::NoRoom { needed: 5, free: 3 }).problem();
        assert_eq!((problem.code.as_str(), problem.details), ("no-room", json!({ "needed": 5, "free": 3 })));
    }
}
