//! What a person is told about synchronisation. The line never lies, and is never a bare tick.

use crate::checklist::Item;
use crate::evidence::EvidenceView;
use crate::hold::{Choices, Held, Surroundings};
use crate::ids::{CheckId, IssueId, Millis, RoundId, Sha256};
use crate::words::Words;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// The one word of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum SyncState {
    /// The tablet does not belong to an office yet.
    NotEnrolled,
    /// Something is safe on this tablet and waits for the office.
    Waiting,
    Sending,
    /// Nothing waits; but the office's server was started anew, or lost something, and whether it still has everything
    /// that it once confirmed is being asked.
    Checking,
    /// Everything is at the office, confirmed by it.
    Safe,
    /// Everything is, but for what somebody has seen to and that the office has not got: a photo that was lost here, or a
    /// record that a restored office does not know.
    SafeBut,
    /// Something will not go up by itself.
    NeedsAttention,
}

/// The line at the foot of every screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SyncLine {
    pub state: SyncState,
    /// Records that the office has not acknowledged.
    pub records: u32,
    /// Photos and clips that are whole on this tablet, and that the office has not confirmed from its own disk.
    pub photos: u32,
    /// Bytes of those photos and clips that have not arrived.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Those whose file on this tablet is gone or is not what was recorded, that the office has not confirmed either, and that
    /// nobody has seen to.
    pub lost: u32,
    /// Originals that wait, by the person's choice, though the office could be reached; absent while none does.
    pub held: Option<Held>,
    /// What the tablet stands in.
    pub surroundings: Surroundings,
    /// Records and photos that were set aside, by the office or by this tablet, and that nobody has seen to.
    pub set_aside: u32,
    /// When the office last confirmed that everything had arrived and nothing new was there to fetch.
    pub last_synced: Option<Millis>,
    /// What stands in the way; absent while all is well.
    pub trouble: Option<Trouble>,
}

/// What stands between the tablet and the office. Recording goes on in every case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Trouble {
    /// Nobody answers at the address: no network, or the hub is down.
    NoAnswer,
    /// Somebody answers, but not a Standpipe hub: a login page of a network, or a wrong address.
    NotAHub,
    /// The address is not one.
    BadAddress,
    /// The office has withdrawn this tablet's permission.
    Revoked,
    /// The office does not know this tablet: it was restored from a backup of before the tablet joined.
    UnknownTablet,
    /// The hub speaks a newer protocol: the app must be updated before it can fetch; what it recorded is still taken.
    HubNewer,
    /// The hub speaks an older protocol than this app.
    HubOlder,
    /// The office's disk is full: the tablet tries again by itself, once there is room.
    HubFull,
    /// The office keeps so much aside that it takes no more to it: the tablet tries again by itself, once somebody there has seen
    /// to some of it.
    QuarantineFull,
    /// The hub has too much to do for now, or is being started: the tablet tries again by itself.
    HubBusy,
    /// The hub has a fault of its own, with what it said.
    HubFault { detail: String },
    /// The tablet's own disk or database refused.
    TabletFault { detail: String },
}

impl Trouble {
    /// Whether the office gives this tablet nothing until it has joined again.
    pub fn must_join(&self) -> bool {
        matches!(self, Self::Revoked | Self::UnknownTablet)
    }
}

/// What waits, for the person who taps the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SyncDetail {
    pub line: SyncLine,
    /// The hub's address; absent when the tablet is not enrolled.
    pub hub: Option<String>,
    /// Records that the office has not acknowledged, by what they are about: what waits longest first, so many as fit
    /// on a screen. The line counts them all.
    pub records: Vec<WaitingRecords>,
    /// Photos and clips that the office has not confirmed, so many as fit on a screen.
    pub photos: Vec<EvidenceView>,
    /// The photos and clips that the office confirmed last, the latest first.
    pub arrived: Vec<EvidenceView>,
    /// What was set aside and nobody has seen to, the latest first.
    pub set_aside: Vec<SetAside>,
    /// What was set aside and somebody has seen to, the latest first: kept, and in nobody's way.
    pub seen_to: Vec<SetAside>,
    pub choices: Choices,
    /// How far this tablet's clock runs ahead of the hub's, in milliseconds; absent until they have met.
    #[ts(type = "number | null")]
    pub clock_ahead: Option<i64>,
}

/// What a record is about, as a person knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Subject {
    /// The record's entity; the screen has a word for each.
    pub entity: String,
    /// The asset of a check or a finding, the title of a round or of the round that was signed, the number of an issue.
    pub name: Option<Words>,
    /// From the phase down to the place; empty where there is none.
    pub path: Vec<Words>,
}

/// Records about one thing that wait for the office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WaitingRecords {
    pub about: Subject,
    pub count: u32,
}

/// A record that the office put into quarantine, or a photo that will not go up by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SetAside {
    pub id: AsideId,
    pub kept: Kept,
    /// Who has seen to it; absent while nobody has.
    pub seen: Option<Seen>,
    /// The photo's name; absent for a record.
    pub photo: Option<String>,
    /// Who recorded it; absent for what is not here any more.
    pub author: Option<Author>,
    /// What it is about; absent for what is not here any more.
    pub about: Option<Subject>,
    /// What was recorded, field by field: the tablet keeps it, so that it can be recorded again.
    pub content: Vec<Recorded>,
    /// The screen on which it can be recorded again, where there is one.
    pub spot: Option<Spot>,
    /// A stable code; the screen has a sentence for each.
    pub code: String,
    pub detail: String,
    pub at: Millis,
}

/// Names what was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum AsideId {
    /// A record, by its operation.
    Record(#[ts(type = "string")] Uuid),
    /// A photo, by its bytes.
    Photo(Sha256),
}

/// Who recorded something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Author {
    /// Their name; their id where nobody of it is known here.
    pub name: String,
    /// When, by the clock of the tablet that it was recorded on.
    pub at: Millis,
}

/// Where what was set aside is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// A record that the office keeps, though it did not take it over.
    AtOffice,
    /// A record that the office has not got.
    Here,
    /// A photo whose file is gone from this tablet.
    Lost,
    /// A photo whose file on this tablet is not what was recorded.
    Spoilt,
    /// A photo whose file on this tablet is gone or is not what was recorded, while the office is still to be asked whether it
    /// has it: nobody can put it away before.
    Unasked,
    /// A photo that is whole on this tablet and on its way yet, so that nobody can put it away.
    Whole,
}

/// Somebody has dealt with what was set aside: recorded it again, amended, or found that it is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Seen {
    /// Their name.
    pub by: String,
    pub at: Millis,
}

/// The value that a record gave to one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Recorded {
    pub field: String,
    /// What the field asks, where it is the answer to an item.
    pub asked: Option<Item>,
    /// As it was recorded; the screen knows the forms of an answer, of evidence, and of a step.
    #[ts(type = "unknown")]
    pub value: serde_json::Value,
}

/// Where a person goes on with what a record is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "screen", rename_all = "kebab-case")]
pub enum Spot {
    Check { round: RoundId, check: CheckId, item: Option<String> },
    Sign { round: RoundId },
    Issue { id: IssueId },
}
