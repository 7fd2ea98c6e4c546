//! An operation: the only way anything changes.

use crate::clock::Hlc;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use standpipe_domain::ids::{DeviceId, Millis, PersonId, SiteId};
use uuid::Uuid;

/// One change of one field of one record, by one person on one device.
///
/// `prev_hash` of the design is not written into the body: [`crate::chain`] puts it in front of the body when hashing,
/// and a batch names it once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Op {
    pub op_id: Uuid,
    pub device: DeviceId,
    /// Counted up when a device finds that it was cloned or restored.
    pub incarnation: u32,
    /// From 1, without gaps, within a device's incarnation.
    pub dev_seq: u64,
    /// Operations of one transaction are applied together or not at all.
    pub tx: Uuid,
    /// The site.
    pub scope: SiteId,
    pub entity: String,
    pub id: Uuid,
    pub kind: Kind,
    /// `None` with `set`: the value is an object, and each of its keys is a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// The operation whose value the author saw in this field; `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_rev: Option<Uuid>,
    pub hlc: Hlc,
    pub device_time: Millis,
    /// What the device's clock was ahead of the hub's at the last handshake, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset: Option<i64>,
    pub actor: PersonId,
    pub schema: u16,
}

impl Op {
    /// Whether two operations of one id record the same work. Their places in the chain may differ: a tablet that finds
    /// itself cloned, or that joins again, numbers anew what was not acknowledged.
    pub fn same_work(&self, other: &Self) -> bool {
        let work = |op: &Self| Self {
            device: DeviceId(Uuid::nil()),
            incarnation: 0,
            dev_seq: 0,
            clock_offset: None,
            ..op.clone()
        };
        work(self) == work(other)
    }
}

/// What an operation does. One that this version does not know is kept as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Writes a field, or several at once.
    Set,
    /// Adds the value to a field that holds several. The operation's id names the member.
    Add,
    /// Takes members out: the value is [`Saw`].
    Remove,
    /// Deletes the record: the value is [`Saw`].
    Delete,
    /// Seals: the value is a [`crate::seal::Jws`].
    Seal,
    /// Changes a sealed field, beside what was signed: the value is an [`Amend`].
    Amend,
    /// Settles a conflict: the value is a [`Resolve`].
    Resolve,
    /// Of a later version. Whoever adds a kind above counts `PROJECTION` up, on the tablet and at the hub.
    #[serde(other)]
    Unknown,
}

/// The operations that an author had seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saw {
    pub saw: Vec<Uuid>,
}

/// The choice between the sides of a conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resolve {
    pub value: Value,
    pub saw: Vec<Uuid>,
}

/// A change to what was signed, with its reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Amend {
    pub value: Value,
    pub reason: String,
}
