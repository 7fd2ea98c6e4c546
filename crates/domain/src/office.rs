//! What the console's pages show.

use crate::answer::Answers;
use crate::asset::AssetLine;
use crate::checklist::Checklist;
use crate::evidence::EvidenceView;
use crate::finding::FindingView;
use crate::ids::{CheckId, DeviceId, Millis, PersonId, UnitId};
use crate::kept::KeptAgainstDelete;
use crate::people::{Person, ResponsibleUnit, Role};
use crate::permission::Act;
use crate::round::{Round, StopState};
use crate::signoff::{SealReport, SignOffView};
use crate::sync::{Author, Recorded, Seen, Subject};
use crate::tablet::{Amendment, FieldConflict, RoundLine};
use crate::words::Words;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is sent to sign in.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct SignIn {
    pub name: String,
    pub password: String,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Who {
    pub person: PersonId,
    pub name: String,
    pub unit: Words,
    pub roles: Vec<Role>,
    pub acts: Vec<Act>,
    pub site: Words,
}

/// A round with everything that was recorded on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct OfficeRound {
    pub round: Round,
    pub line: RoundLine,
    pub present: Vec<Words>,
    pub checks: Vec<OfficeCheck>,
    pub findings: Vec<FindingView>,
    pub sign_offs: Vec<SignOffView>,
    pub seals: Vec<SealReport>,
    /// Set where somebody deleted the round, and it was kept.
    pub kept: Option<KeptAgainstDelete>,
}

/// One stop of a round, as the office reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct OfficeCheck {
    pub id: CheckId,
    pub asset: AssetLine,
    pub state: StopState,
    pub checklist: Option<Checklist>,
    pub answers: Answers,
    pub photos: Vec<EvidenceView>,
    pub sealed: bool,
    /// Changes after the check was sealed, oldest first.
    pub amendments: Vec<Amendment>,
    /// Fields on which two people's answers differ.
    pub conflicts: Vec<FieldConflict>,
    /// Set where somebody deleted it, and it was kept. Its findings say so themselves.
    pub kept: Option<KeptAgainstDelete>,
}

/// Whom an issue can be given to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Directory {
    pub units: Vec<ResponsibleUnit>,
    pub people: Vec<Person>,
}

/// A tablet, as the office knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Tablet {
    pub id: DeviceId,
    pub name: String,
    pub person: PersonId,
    pub person_name: String,
    pub revoked: bool,
    pub last_seen: Option<Millis>,
    /// The app's version at the last handshake.
    pub version: Option<String>,
}

/// What the person who holds a new tablet types in, once and within fifteen minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EnrolmentCode {
    pub code: String,
    pub expires: Millis,
}

/// What is sent for a new tablet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NewTablet {
    pub name: String,
    pub person: PersonId,
}

/// An operation that the hub keeps but did not apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Quarantined {
    pub op_id: String,
    pub device: DeviceId,
    pub device_name: String,
    /// With the device, its place among what was set aside: of what could not be read nobody knows the operation.
    pub incarnation: u32,
    #[ts(type = "number")]
    pub dev_seq: u64,
    /// Of which entity it says that it is; empty where that is no name.
    pub entity: String,
    pub field: Option<String>,
    pub code: String,
    pub detail: String,
    pub at: Millis,
    /// Who recorded it, as it says itself; absent where it could not be read.
    pub author: Option<Author>,
    /// What it is about; absent where it could not be read.
    pub about: Option<Subject>,
    /// What was recorded, field by field: the tablet that it came from may be lost.
    pub content: Vec<Recorded>,
    /// Whether more was recorded than is told here.
    pub cut: bool,
    /// Who has seen to it; absent while nobody has.
    pub seen: Option<Seen>,
}

/// What the hub keeps and did not apply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct QuarantineList {
    /// How many operations there are that nobody has seen to.
    #[ts(type = "number")]
    pub total: u64,
    /// How many there are that somebody has seen to.
    #[ts(type = "number")]
    pub seen_to: u64,
    /// The newest of either, as was asked for, newest first: at most 1,000.
    pub listed: Vec<Quarantined>,
}

/// Where an operation was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct AsidePlace {
    pub device: DeviceId,
    pub incarnation: u32,
    #[ts(type = "number")]
    pub dev_seq: u64,
}

/// What is sent to say that somebody has seen to what was set aside, or to take that back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SeeTo {
    pub places: Vec<AsidePlace>,
    pub seen: bool,
}

/// What came of judging all of it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct JudgedAgain {
    /// How many operations were taken over.
    #[ts(type = "number")]
    pub taken: u64,
    /// What stays aside.
    pub left: QuarantineList,
}

/// How a request that could not be done is answered, with a status of 400 or above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ApiProblem {
    /// A stable code; the page has a sentence for each.
    pub code: String,
    /// In English, for the log and for a page without a sentence for the code.
    pub message: String,
    #[serde(default)]
    #[ts(type = "Record<string, unknown>")]
    pub details: serde_json::Value,
}

/// Filters of the issues list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct IssueFilter {
    #[serde(default)]
    pub status: Option<crate::issue::Status>,
    #[serde(default)]
    pub unit: Option<UnitId>,
    /// Text to find in title, place, words or number.
    #[serde(default)]
    pub q: String,
}
