//! Signatures over sealed sets of checks.

use crate::ids::{Millis, RoundId, SignOffId, UnitId};
use crate::words::Words;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A point of a stroke: x and y in thousandths of the signing area's width, and milliseconds since the pen first
/// touched the glass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Point(pub i32, pub i32, pub u32);

/// A signature as it was drawn.
pub type Strokes = Vec<Vec<Point>>;

/// One unit's signature, or the place for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SignOffView {
    pub unit: UnitId,
    pub unit_name: Words,
    pub signed: Option<Signature>,
    /// Amendments made since, which want another signature of this unit. None before its first.
    pub unsigned_amendments: u32,
}

/// A signature that was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Signature {
    pub id: SignOffId,
    pub name: String,
    /// What the representative objects to, in their own words.
    pub objection: Option<String>,
    pub strokes: Strokes,
    pub at: Millis,
    /// Of the photos that the seal covers, how many the office does not hold yet; on a tablet, those of them that it has
    /// itself to send.
    pub photos_on_their_way: u32,
    /// On a tablet: how many of the others the office has not said that it holds. It knows nothing of those that wait on
    /// another tablet. None at the office, which knows of each.
    pub photos_unconfirmed: u32,
}

/// Where the photos are that were signed for in a round, by whomever, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SealedPhotos {
    /// Those that this tablet has still to send to the office.
    pub on_their_way: u32,
    /// Of the others, those of which the office has not said that it holds them; what was set aside here among them.
    pub unconfirmed: u32,
}

/// What the person who signs sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct NewSignOff {
    pub round: RoundId,
    pub unit: UnitId,
    pub name: String,
    #[serde(default)]
    pub objection: Option<String>,
    pub strokes: Strokes,
    /// The [digest](crate::tablet::RoundView::digest) of what was read.
    pub digest: String,
}

/// Why a sign-off cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, TS)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum NoSignOff {
    #[error("{count} items are not answered yet")]
    Unanswered { count: u32 },
    #[error("{count} findings still lack words or a photo")]
    Incomplete { count: u32 },
    #[error("{count} answers are in conflict; they must be resolved first")]
    InConflict { count: u32 },
    #[error("this unit has signed already")]
    AlreadySigned,
    #[error("this unit is not asked to sign")]
    NotAsked,
    #[error("something was recorded since the summary was read: read it again, then sign")]
    ChangedMeanwhile,
    #[error("the signature is empty")]
    NoStrokes,
    #[error("the name is missing")]
    NoName,
}

/// What stands in the way of signing, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Obstacles {
    pub unanswered: u32,
    pub incomplete: u32,
    pub in_conflict: u32,
}

impl Obstacles {
    /// The first obstacle as a refusal, or `Ok` when there is none.
    pub fn none(self) -> Result<(), NoSignOff> {
        match self {
            Self { unanswered: count @ 1.., .. } => Err(NoSignOff::Unanswered { count }),
            Self { incomplete: count @ 1.., .. } => Err(NoSignOff::Incomplete { count }),
            Self { in_conflict: count @ 1.., .. } => Err(NoSignOff::InConflict { count }),
            _ => Ok(()),
        }
    }
}

impl NewSignOff {
    /// Whether the form itself is complete. An objection stands in for nothing: it too is signed.
    pub fn complete(&self) -> Result<(), NoSignOff> {
        if self.name.trim().is_empty() {
            return Err(NoSignOff::NoName);
        }
        // A single tap is not a signature.
        if self.strokes.iter().map(Vec::len).sum::<usize>() < 3 {
            return Err(NoSignOff::NoStrokes);
        }
        Ok(())
    }
}

/// What the verification of a seal found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SealReport {
    pub sign_off: SignOffId,
    pub unit: UnitId,
    /// The signature over the sealed bytes holds, and is that of the tablet named in it, as far as that one is known.
    pub genuine: bool,
    /// The key of the tablet named in it is known from elsewhere than the seal itself. A restored office does not know a
    /// tablet that had joined after its backup; that its own signature stands beside the tablet's is what it has then.
    pub known: bool,
    /// What the tablet shows today is what was sealed.
    pub unchanged: bool,
    /// When the hub added its own signature; absent until it has.
    pub countersigned: Option<Millis>,
    pub photos: u32,
}
