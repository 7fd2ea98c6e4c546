//! How a tablet joins a hub, and how the two greet each other: the JSON of both sides.

use serde::{Deserialize, Serialize};
use standpipe_domain::ids::{DeviceId, Millis, PersonId, SiteId};
use standpipe_domain::words::Words;
use std::fmt;
use uuid::Uuid;

/// What a tablet sends to be enrolled.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enrol {
    /// The code that the office gave out. It works once.
    pub code: String,
    /// The tablet's Ed25519 public key, in base64url without padding.
    pub public_key: String,
    pub app_version: String,
    pub protocol: u32,
}

/// What a tablet shows the hub at each request. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What an enrolled tablet is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enrolled {
    pub device: DeviceId,
    pub token: Token,
    pub incarnation: u32,
    pub person: PersonId,
    pub person_name: String,
    pub site: SiteId,
    pub site_name: Words,
    pub hub_epoch: Uuid,
    pub protocol: u32,
    /// The hub's time.
    pub now: Millis,
}

/// A tablet's greeting.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    pub app_version: String,
    pub incarnation: u32,
    /// The tablet's own time.
    pub now: Millis,
}

/// What the hub says to a tablet that greets it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HelloAnswer {
    pub protocol: u32,
    pub hub_epoch: Uuid,
    /// The hub's time.
    pub now: Millis,
    /// The last operation of this incarnation that the hub holds.
    pub acknowledged: u64,
    /// Up to here the hub's last whole backup holds this incarnation; 0 where none does. A tablet writes it down, and forgets
    /// nothing for it.
    pub durable_seq: u64,
    pub device: DeviceId,
    pub person: PersonId,
    /// The hub's last number of the tablet's site. Behind a tablet's cursor: the hub was restored.
    #[serde(default)]
    pub head: Option<u64>,
    /// Another one each time that the hub starts, as it may have lost something meanwhile that only a look would tell; and
    /// each time that somebody has found a photo to be gone.
    #[serde(default)]
    pub run: Option<Uuid>,
    /// The office has withdrawn this tablet's permission; what it recorded is still taken.
    pub revoked: bool,
    /// Zeros where the hub does not say: it counts as one that makes no backups.
    #[serde(default)]
    pub backups: Backups,
}

/// The backups that an office has made, numbered from 1 in the order in which they began. What the hub holds before one
/// begins is in it, once it is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backups {
    /// The number of the last that has begun, whether it was ended or not; 0 before the first.
    pub begun: u64,
    /// The number of the last that is whole; 0 while there is none.
    pub whole: u64,
}
