//! Units and persons.

use crate::ids::{PersonId, UnitId};
use crate::words::Words;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a unit is to the estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum UnitLevel {
    Street,
    Community,
    Property,
    Supervisor,
    Owners,
}

/// A responsible unit: an organisation, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ResponsibleUnit {
    pub id: UnitId,
    pub level: UnitLevel,
    pub name: Words,
}

/// What a person is here to do. A person may have several roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Inspector,
    OwnerRepresentative,
    UnitStaff,
    Supervisor,
    Administrator,
    Reader,
}

/// A person who records, signs or answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub unit: UnitId,
    pub roles: Vec<Role>,
}
