//! What the store keeps beside the records: the hub itself, accounts, tablets, uploads.

use crate::secret::PasswordHash;
use ed25519_dalek::SigningKey;
use standpipe_domain::ids::{DeviceId, Millis, PersonId, Sha256, SiteId};
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::seal::Jwk;
use std::fmt;
use uuid::Uuid;

/// Who this hub is. It writes as a device of its own.
#[derive(Clone)]
pub struct Identity {
    pub device: DeviceId,
    /// Signs seals. Never leaves the hub.
    pub key: SigningKey,
    /// Changes when the hub is restored from a backup.
    pub epoch: Uuid,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("device", &self.device)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// An account.
#[derive(Clone, Debug)]
pub struct User {
    /// What is typed to sign in.
    pub name: String,
    pub password: PasswordHash,
    pub person: PersonId,
}

/// A session of the console. Only the hash of its token is kept.
#[derive(Clone, Debug)]
pub struct Session {
    pub token: Sha256,
    pub person: PersonId,
    pub expires: Millis,
}

/// A code that a new tablet may use once.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// The hash of the code.
    pub code: Sha256,
    /// What the tablet is to be called.
    pub name: String,
    pub person: PersonId,
    pub expires: Millis,
}

/// What a tablet brings along when it enrols.
#[derive(Clone, Debug)]
pub struct NewDevice {
    pub id: DeviceId,
    pub key: Jwk,
    /// The hash of the token that it gets.
    pub token: Sha256,
    pub version: String,
}

/// A tablet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    pub name: String,
    /// Who holds it, and in whose name it records.
    pub person: PersonId,
    pub site: SiteId,
    pub key: Jwk,
    pub revoked: bool,
}

/// Something that arrived and was not applied. It is kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    pub device: DeviceId,
    pub incarnation: u32,
    pub dev_seq: u64,
    /// `None` when the line could not be read that far.
    pub op_id: Option<Uuid>,
    pub tx: Option<Uuid>,
    pub entity: String,
    pub field: Option<String>,
    pub body: Box<str>,
    pub code: String,
    pub detail: String,
    pub at: Millis,
}

/// Where something was set aside, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    pub incarnation: u32,
    pub dev_seq: u64,
    pub op_id: Option<Uuid>,
    pub tx: Option<Uuid>,
    pub code: String,
    pub detail: String,
}

/// Part of a site's operations.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub ops: Vec<PageOp>,
    /// The cursor behind this page: the last operation here, or the site's head where the page is empty.
    pub next: u64,
    pub more: bool,
    /// The sum over every operation up to `next`.
    pub checksum: Checksum,
}

/// An operation of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOp {
    pub seq: u64,
    pub at: Millis,
    pub body: Box<str>,
}
