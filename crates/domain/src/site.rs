//! The sites that a tablet holds, as its person is told of them.

use crate::sync::SyncLine;
use crate::tablet::Problem;
use crate::words::Words;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A site of the tablet's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct SiteLine {
    /// The name that the tablet gave to its folder; commands about the site take it.
    pub folder: String,
    /// Absent where its data could not be opened, and before the tablet has joined anything.
    pub name: Option<Words>,
    /// As whom the tablet records there.
    pub person: Option<String>,
    /// The address of its hub.
    pub hub: Option<String>,
    /// It is the one that the screens are about.
    pub shown: bool,
    /// Absent where its data could not be opened.
    pub sync: Option<SyncLine>,
    /// Why its data could not be opened.
    pub problem: Option<Problem>,
    /// Texts that were typed there and not recorded.
    pub drafts: u32,
    /// Set once the person has left it: what keeps it on the tablet.
    pub leaving: Option<Keeps>,
}

/// What keeps a site that was left on the tablet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Keeps {
    /// Its data could not be opened, so nobody knows what is there.
    Unopened,
    /// Something was set aside that nobody has seen to, or of which more is here than anywhere else.
    SetAside,
    /// Records or photos wait for the office.
    Waits,
    /// More was typed and not recorded than the person had agreed to lose.
    Drafts,
    /// A copy of a database lies there: of a damaged one, or one that somebody made.
    DamagedCopy { path: String },
    /// Nothing waits; but the office has not confirmed since that it has everything.
    Asks,
    /// Nothing waits; but the office has withdrawn the tablet's permission, and confirms nothing to it.
    Withdrawn,
    /// Nothing waits; but the office, which was restored, does not know the tablet, and confirms nothing to it.
    Unknown,
    /// The office has everything, and none of its backups holds all of it for certain.
    Backup,
}
