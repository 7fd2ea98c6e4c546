//! What the tablet's screens show.

use crate::answer::{Answer, Answers};
use crate::asset::AssetLine;
use crate::checklist::{Checklist, ChecklistRef, Item};
use crate::evidence::EvidenceView;
use crate::finding::{FindingView, Severity};
use crate::ids::{CheckId, IssueId, Millis, RoundId};
use crate::kept::KeptAgainstDelete;
use crate::round::{Round, RoundKind, RoundState, StopState};
use crate::signoff::{Obstacles, SealedPhotos, SignOffView};
use crate::sync::SyncLine;
use crate::words::Words;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;
use uuid::Uuid;

/// The first screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Today {
    /// Absent until the tablet is enrolled.
    pub site: Option<Words>,
    /// The inspector's name; absent until the tablet is enrolled.
    pub person: Option<String>,
    #[ts(type = "string")]
    pub date: Date,
    pub rounds: Vec<RoundLine>,
    /// Issues whose fix is claimed and wants a second look.
    pub to_recheck: u32,
    pub open_issues: u32,
    pub sync: SyncLine,
    /// Set once after a damaged database was replaced.
    pub rescue: Option<Rescue>,
}

/// What became of a damaged database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Rescue {
    /// Records that were read out of the damaged file and are in the fresh one.
    pub rescued: u32,
    /// Records that could not be read: the copy alone may hold them, and the office those that it had.
    pub unreadable: u32,
    /// Where the damaged file was set aside.
    pub copy: String,
}

/// A round in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RoundLine {
    pub id: RoundId,
    pub title: Words,
    pub kind: RoundKind,
    #[ts(type = "string")]
    pub due: Date,
    pub state: RoundState,
    pub stops: u32,
    pub stops_done: u32,
    pub items: u32,
    pub answered: u32,
    /// Items whose shown answer is a fail. An amendment, which stands beside what was signed, does not change it.
    pub findings: u32,
    pub to_sign: u32,
    /// Units whose signatures cover everything, amendments too.
    pub signed: u32,
}

/// A round as a route with its stops.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct RoundView {
    pub round: Round,
    pub line: RoundLine,
    pub site: Words,
    /// The names of the units that walk along.
    pub present: Vec<Words>,
    pub stops: Vec<Stop>,
    pub findings: Vec<FindingView>,
    pub obstacles: Obstacles,
    pub sign_offs: Vec<SignOffView>,
    /// Of the photos that all these signatures cover.
    pub sealed_photos: SealedPhotos,
    /// What was amended after it was signed, oldest first.
    pub amendments: Vec<AmendedStop>,
    /// Stands for everything that a signature would seal now. Whoever signs sends back the one that they read.
    pub digest: String,
    /// Photos and clips, each once however often it is used.
    pub photos: u32,
    /// Set where somebody deleted the round, and it was kept.
    pub kept: Option<KeptAgainstDelete>,
}

/// A stop on the route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Stop {
    pub check: CheckId,
    pub asset: AssetLine,
    pub state: StopState,
    pub items: u32,
    pub answered: u32,
    pub failed: u32,
    pub photos: u32,
    pub sealed: bool,
    /// Something that was signed of it was amended.
    pub amended: bool,
    /// Two records say different things of it, and somebody is to choose.
    pub in_conflict: bool,
    /// Set where somebody deleted it, and it was kept. Its findings say so themselves.
    pub kept: Option<KeptAgainstDelete>,
}

/// One check: its checklist, what was answered, and what was answered last time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct CheckView {
    pub id: CheckId,
    pub round: RoundId,
    pub stop: Stop,
    pub reference: ChecklistRef,
    /// Absent when this version of the app does not have the checklist: the check is shown, not edited.
    pub checklist: Option<Checklist>,
    pub answers: Answers,
    /// The operations that wrote what is shown, by the field: of several sides, only of the one that is shown. A finding's
    /// field is named with its item behind it, as in a conflict.
    #[ts(type = "Record<string, string[]>")]
    pub revs: BTreeMap<String, Vec<Uuid>>,
    /// The answers of the last round before this one, for the same asset.
    pub last: BTreeMap<String, LastAnswer>,
    /// Interlocks that must pass before water may be drawn.
    pub open_interlocks: Vec<String>,
    pub findings: Vec<FindingView>,
    /// Photos and clips that belong to an item but to no finding.
    pub photos: Vec<EvidenceView>,
    /// Items on which two people's answers differ.
    pub conflicts: Vec<FieldConflict>,
    /// Set once the check is sealed: who signed, and when. It then takes amendments only.
    pub sealed: Option<Sealed>,
    pub amendments: Vec<Amendment>,
}

impl CheckView {
    /// What whoever changes a field has seen of it; its name as in [`CheckView::revs`].
    pub fn seen(&self, field: &str) -> Vec<Uuid> {
        self.revs.get(field).cloned().unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct LastAnswer {
    pub answer: Answer,
    #[ts(type = "string")]
    pub on: Date,
}

/// Two or more values for one field, all of which stand until somebody chooses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct FieldConflict {
    pub field: String,
    /// What all sides started from; absent where they started from different values, or from none, or where the operation
    /// that wrote it is not known. The office's console, which shows the sides alone, is not told.
    pub base: Option<ConflictSide>,
    pub sides: Vec<ConflictSide>,
}

impl FieldConflict {
    /// The operations that wrote its sides.
    pub fn revs(&self) -> Vec<Uuid> {
        self.sides.iter().filter_map(|side| side.rev.parse().ok()).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct ConflictSide {
    /// The operation that wrote this side.
    pub rev: String,
    #[ts(type = "unknown")]
    pub value: serde_json::Value,
    pub by: String,
    pub device: String,
    pub at: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Sealed {
    pub by: Vec<String>,
    pub at: Millis,
}

/// An amendment with the place that it is about, as whoever signs again reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct AmendedStop {
    pub check: CheckId,
    pub asset: Words,
    /// What the item asks; absent when this version does not have its checklist.
    pub asked: Option<Item>,
    /// What was signed; absent where nothing was answered.
    pub was: Option<Answer>,
    pub amendment: Amendment,
}

/// A change to a sealed check. It stands beside what was signed and wants a signature of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Amendment {
    pub item: String,
    pub answer: Answer,
    pub reason: String,
    pub by: String,
    pub at: Millis,
    pub signed: bool,
}

/// An asset and the checks made on it, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct AssetView {
    pub asset: AssetLine,
    pub checks: Vec<AssetCheck>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct AssetCheck {
    pub check: CheckId,
    pub round: RoundId,
    pub title: Words,
    #[ts(type = "string")]
    pub due: Date,
    pub state: StopState,
}

/// An answer, as a screen sends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct NewAnswer {
    pub check: CheckId,
    pub item: String,
    pub answer: Answer,
    /// What its author saw in the field: see [`CheckView::revs`]. What stands besides stays beside it.
    #[serde(default)]
    #[ts(type = "string[]")]
    pub seen: Vec<Uuid>,
}

/// An amendment, as a screen sends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct NewAmendment {
    pub check: CheckId,
    pub item: String,
    pub answer: Answer,
    pub reason: String,
    /// Where an item that had not failed fails by now: how bad that is.
    #[serde(default)]
    pub severity: Option<Severity>,
}

/// A finding, as a screen sends it. One item of one check has at most one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NewFinding {
    pub check: CheckId,
    pub item: String,
    /// `None` leaves it as it is; where nobody has said it yet, it becomes [`Severity::UNSAID`].
    #[serde(default)]
    pub severity: Option<Severity>,
    /// `None` leaves them as they are.
    #[serde(default)]
    pub words: Option<String>,
    /// What its author saw in both fields: see [`CheckView::revs`]. What stands besides stays beside it.
    #[serde(default)]
    #[ts(type = "string[]")]
    pub seen: Vec<Uuid>,
}

/// What a photo or clip is to be attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "to", rename_all = "kebab-case")]
pub enum AttachTo {
    /// An item of a check; when the item has a finding, it belongs to the finding.
    Item { check: CheckId, item: String },
    /// The proof of a fix.
    Issue { issue: IssueId },
}

/// The start of bringing a file in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NewFile {
    pub name: String,
    #[ts(type = "number")]
    pub bytes: u64,
    pub to: AttachTo,
}

/// How a command that could not be done is told to the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Problem {
    /// A stable code; the screen has a sentence for each.
    pub code: String,
    /// In English, for the log and for a screen without a sentence for the code.
    pub message: String,
    /// What the sentence needs: a count, a name, the items that stand in the way.
    #[ts(type = "Record<string, unknown>")]
    pub details: serde_json::Value,
}
