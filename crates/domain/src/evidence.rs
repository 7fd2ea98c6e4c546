//! Photos and clips, known by the SHA-256 of their bytes.

use crate::ids::{Millis, Sha256};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One piece of evidence as an operation records it. The bytes travel apart, under their hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Evidence {
    pub sha256: Sha256,
    /// For example `image/jpeg`, found by looking at the bytes, not at the name.
    pub media_type: String,
    #[ts(type = "number")]
    pub bytes: u64,
    /// The file's name as it came in; shown, never used as a path.
    pub name: String,
    /// The item of the checklist that it belongs to, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    pub at: Millis,
}

/// Where the bytes of a photo are, as the person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Whereabouts {
    /// Durable on this tablet, waiting for its turn.
    SafeHere,
    /// On its way; `percent` of the original have arrived.
    Sending { percent: u8 },
    /// The hub has re-read and hashed its own copy.
    SafeAtOffice,
    /// Held back, with the reason's code.
    NeedsAttention { code: String },
    /// This tablet has its bytes no more, and somebody has seen to that.
    Lost,
    /// Not here.
    Elsewhere {
        /// Whether the office has the original, as it said when it was asked last; absent until it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        at_office: Option<bool>,
        /// Who took it, where that is known: on their tablet it is, until the office has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        by: Option<String>,
    },
}

/// Whether there is a picture to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Preview {
    /// Being made.
    Pending,
    Ready,
    /// There will be none: the reason's code. The original is kept whole all the same.
    None {
        code: String,
    },
    /// A clip: played, not previewed.
    Clip,
}

/// Evidence as a screen shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EvidenceView {
    #[serde(flatten)]
    pub evidence: Evidence,
    pub preview: Preview,
    pub whereabouts: Whereabouts,
}
