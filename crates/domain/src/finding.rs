//! Failed items that must be acted on.

use crate::answer::Answer;
use crate::checklist::Item;
use crate::evidence::EvidenceView;
use crate::ids::{CheckId, FindingId, IssueId};
use crate::kept::KeptAgainstDelete;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How bad a finding is. The higher wins where two people differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Minor,
    Serious,
    /// Danger to life: to be acted on today.
    Critical,
}

/// A finding as a screen shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct FindingView {
    pub id: FindingId,
    pub check: CheckId,
    pub item: String,
    /// The item; absent when this version does not have the checklist.
    pub asked: Option<Item>,
    /// What was answered.
    pub answer: Answer,
    pub severity: Severity,
    pub words: String,
    pub photos: Vec<EvidenceView>,
    /// What the office tracks it as, once it does.
    pub issue: Option<IssueId>,
    /// What is still missing before it can be signed.
    pub lacks: Vec<Lack>,
    /// Set where somebody deleted it, and it was kept.
    pub kept: Option<KeptAgainstDelete>,
}

impl Severity {
    /// What is shown until somebody has said how bad a finding is.
    pub const UNSAID: Self = Self::Serious;
}

/// What a finding lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Lack {
    Words,
    Photo,
}

/// Says what a finding still lacks: a few words and at least one photo or clip.
pub fn lacks(words: &str, photos: usize) -> Vec<Lack> {
    let mut lacks = Vec::new();
    if words.trim().is_empty() {
        lacks.push(Lack::Words);
    }
    if photos == 0 {
        lacks.push(Lack::Photo);
    }
    lacks
}
