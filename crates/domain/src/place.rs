//! The tree of places: site, phase, building, floor, place.

use crate::ids::PlaceId;
use crate::words::Words;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a node of the tree is. Every asset stands in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceKind {
    Site,
    Phase,
    Building,
    Floor,
    /// A garage, a clubhouse, a plant room: a part that is no floor of a building.
    Area,
}

/// How deep the tree is followed. A site has five levels; places that stand in each other in a ring are somebody's
/// mistake, and a walk up them must end.
pub const DEPTH: usize = 16;

/// A node of the tree of places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Place {
    pub id: PlaceId,
    pub kind: PlaceKind,
    pub parent: Option<PlaceId>,
    pub name: Words,
    /// The floor's number within its building; 1 is the ground floor as counted in China.
    #[serde(default)]
    pub level: Option<i32>,
}
