//! Things that are inspected.

use crate::ids::{AssetId, PlaceId};
use crate::words::Words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// The kinds of asset that have a built-in checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum AssetKind {
    IndoorHydrant,
    OutdoorHydrant,
    HoseReel,
    Extinguisher,
    Reservoir,
    RoofTank,
    Pump,
    Standpipe,
    ControlRoom,
    CctvRoom,
    DomesticPumpRoom,
    PipeWorks,
}

impl AssetKind {
    pub const ALL: [Self; 12] = [
        Self::IndoorHydrant,
        Self::OutdoorHydrant,
        Self::HoseReel,
        Self::Extinguisher,
        Self::Reservoir,
        Self::RoofTank,
        Self::Pump,
        Self::Standpipe,
        Self::ControlRoom,
        Self::CctvRoom,
        Self::DomesticPumpRoom,
        Self::PipeWorks,
    ];
}

/// A thing that is inspected, standing in a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Asset {
    pub id: AssetId,
    pub kind: AssetKind,
    pub place: PlaceId,
    pub name: Words,
    /// What is written on it, for finding it again: unique within the site by custom, not by force.
    pub tag: String,
    /// Facts that do not change from round to round: an agent, a capacity, the materials of a pipe upgrade.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
}

/// An asset in a list: enough to recognise it and to know where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AssetLine {
    pub id: AssetId,
    pub kind: AssetKind,
    pub name: Words,
    pub tag: String,
    /// From the phase down to the place it stands in; the site itself is left out.
    pub path: Vec<Words>,
}
