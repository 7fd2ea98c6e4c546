//! Checklists: versioned templates of items, read from the data files beside this crate.

use crate::asset::AssetKind;
use crate::limit::{Limit, Unit};
use crate::words::Words;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use ts_rs::TS;

/// Names one version of a checklist. A check keeps the version that it was made with, for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
pub struct ChecklistRef {
    pub id: String,
    pub version: u32,
}

/// A template of items for one kind of asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Checklist {
    pub id: String,
    pub version: u32,
    pub asset_kind: AssetKind,
    pub name: Words,
    pub items: Vec<Item>,
}

/// One question of a checklist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Unique within the checklist, kept across its versions.
    pub id: String,
    pub question: Words,
    /// A few more words on how to look, or why it matters.
    #[serde(default)]
    pub help: Option<Words>,
    #[serde(default)]
    pub answer: AnswerKind,
    /// The item asks for water to be drawn: every interlock of the checklist must have passed before.
    #[serde(default)]
    pub draws_water: bool,
    /// The item must have passed before water is drawn.
    #[serde(default)]
    pub interlock: bool,
    pub source: Source,
}

/// What an answer to an item consists of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AnswerKind {
    /// Pass, fail or not applicable.
    #[default]
    PassFail,
    /// A number with a unit; the result follows from the limit, where there is one.
    Reading {
        unit: Unit,
        #[serde(default)]
        limit: Limit,
    },
    /// One of several words: a stage of pipe works, say. It passes.
    Choice { options: Vec<Choice> },
    /// Free text, such as the number of a new seal. It passes.
    Text,
}

/// One of the words that a choice offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Choice {
    pub id: String,
    pub name: Words,
}

/// Where an item or its limit comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// For example `GB 50974-2014`.
    pub code: String,
    #[serde(default)]
    pub clause: Option<String>,
    pub standing: Standing,
    /// The first day on which the rule holds.
    #[serde(default)]
    #[ts(type = "string | null")]
    pub from: Option<Date>,
    /// The last day on which the rule holds.
    #[serde(default)]
    #[ts(type = "string | null")]
    pub until: Option<Date>,
}

/// How far a source can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Read in a secondary source.
    Secondary,
    /// To be confirmed by a licensed engineer; the screen says so.
    Unconfirmed,
    /// Practice, not a clause.
    Practice,
}

impl Checklist {
    pub fn reference(&self) -> ChecklistRef {
        ChecklistRef { id: self.id.clone(), version: self.version }
    }

    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }
}

/// Every version of every built-in checklist, oldest first.
static BUILT_IN: LazyLock<Vec<Checklist>> = LazyLock::new(|| {
    [
        include_str!("../data/checklists/cctv-room.1.json"),
        include_str!("../data/checklists/control-room.1.json"),
        include_str!("../data/checklists/domestic-pump-room.1.json"),
        include_str!("../data/checklists/extinguisher.1.json"),
        include_str!("../data/checklists/hose-reel.1.json"),
        include_str!("../data/checklists/indoor-hydrant.1.json"),
        include_str!("../data/checklists/outdoor-hydrant.1.json"),
        include_str!("../data/checklists/pipe-works.1.json"),
        include_str!("../data/checklists/pump.1.json"),
        include_str!("../data/checklists/reservoir.1.json"),
        include_str!("../data/checklists/roof-tank.1.json"),
        include_str!("../data/checklists/standpipe.1.json"),
    ]
    .into_iter()
    // The files are compiled in, and a test reads every one: a malformed one cannot be shipped.
    .map(|text| {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("built-in checklist: {error}: {text:.60}"))
    })
    .collect()
});

/// The checklist of that name and version, or `None` when this version of the program does not have it.
pub fn find(reference: &ChecklistRef) -> Option<&'static Checklist> {
    BUILT_IN.iter().find(|list| list.id == reference.id && list.version == reference.version)
}

/// The kind of asset that a checklist is for. Of one that this version does not have it is not known: a standpipe, as
/// likely as any.
pub fn kind_of(reference: &ChecklistRef) -> AssetKind {
    find(reference).map_or(AssetKind::Standpipe, |list| list.asset_kind)
}

/// An item of a checklist; `None` when this version of the program does not have it.
pub fn item(reference: &ChecklistRef, id: &str) -> Option<&'static Item> {
    find(reference)?.item(id)
}

/// The newest checklist for a kind of asset.
pub fn newest_for(kind: AssetKind) -> Option<&'static Checklist> {
    BUILT_IN.iter().filter(|list| list.asset_kind == kind).max_by_key(|list| list.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_of_asset_has_a_checklist_whose_items_are_told_apart() {
        for kind in AssetKind::ALL {
            let list = newest_for(kind).unwrap_or_else(|| panic!("no checklist for {kind:?}"));
            let ids: BTreeSet<_> = list.items.iter().map(|item| &item.id).collect();
            assert_eq!(ids.len(), list.items.len(), "{}: an item's id stands twice", list.id);
            assert!(!list.items.is_empty());
        }
    }

    #[test]
    fn whatever_draws_water_stands_behind_interlocks() {
        for list in BUILT_IN.iter() {
            let Some(draws) = list.items.iter().position(|item| item.draws_water) else { continue };
            let locks: Vec<_> = list.items.iter().positions(|item| item.interlock);
            assert!(!locks.is_empty(), "{} draws water without an interlock", list.id);
            assert!(locks.iter().all(|at| *at < draws), "{}: interlocks come first", list.id);
        }
    }

    trait Positions<'a> {
        fn positions(self, test: impl Fn(&'a Item) -> bool) -> Vec<usize>;
    }

    impl<'a, I: Iterator<Item = &'a Item>> Positions<'a> for I {
        fn positions(self, test: impl Fn(&'a Item) -> bool) -> Vec<usize> {
            self.enumerate().filter(|(_, item)| test(item)).map(|(at, _)| at).collect()
        }
    }
}
