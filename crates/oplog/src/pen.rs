//! The pen of a device: writes its operations, one behind the other.

use crate::SCHEMA;
use crate::chain::{START, Written};
use crate::clock::Hlc;
use crate::op::{Kind, Op};
use serde_json::{Value, json};
use standpipe_domain::ids::{DeviceId, Millis, PersonId, Sha256, SiteId};
use uuid::Uuid;

/// Where a device's chain stands. Kept in its database, in the transaction that adds the operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pen {
    pub device: DeviceId,
    pub scope: SiteId,
    pub incarnation: u32,
    /// The sequence number of the last operation written; 0 before the first.
    pub last_seq: u64,
    pub last_hash: Sha256,
    pub hlc: Hlc,
    pub clock_offset: Option<i64>,
}

/// What is to be written, before it has its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub entity: &'static str,
    pub id: Uuid,
    pub kind: Kind,
    pub field: Option<String>,
    pub value: Value,
    pub base_rev: Option<Uuid>,
}

/// What an operation takes from the world outside.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: Millis,
    pub actor: PersonId,
    pub tx: Uuid,
}

impl Pen {
    pub fn new(device: DeviceId, scope: SiteId) -> Self {
        Self {
            device,
            scope,
            incarnation: 1,
            last_seq: 0,
            last_hash: START,
            hlc: Hlc::default(),
            clock_offset: None,
        }
    }

    /// Writes one operation with the fresh `op_id`.
    ///
    /// # Errors
    /// When the value holds a number that JSON cannot write; the pen then stands where it stood.
    pub fn write(&mut self, draft: Draft, op_id: Uuid, moment: Moment) -> Result<Written, serde_json::Error> {
        let hlc = self.hlc.next(moment.now);
        let op = Op {
            op_id,
            device: self.device,
            incarnation: self.incarnation,
            dev_seq: self.last_seq + 1,
            tx: moment.tx,
            scope: self.scope,
            entity: draft.entity.to_owned(),
            id: draft.id,
            kind: draft.kind,
            field: draft.field,
            value: draft.value,
            base_rev: draft.base_rev,
            hlc,
            device_time: moment.now,
            clock_offset: self.clock_offset,
            actor: moment.actor,
            schema: SCHEMA,
        };
        let written = Written::new(&op, self.last_hash)?;
        self.last_seq += 1;
        self.last_hash = written.hash;
        self.hlc = hlc;
        Ok(written)
    }
}

impl Draft {
    /// Writes a whole record at once: each key of `fields` is a field.
    pub fn record(entity: &'static str, id: Uuid, fields: serde_json::Map<String, Value>) -> Self {
        Self { entity, id, kind: Kind::Set, field: None, value: Value::Object(fields), base_rev: None }
    }

    /// Writes one field, whose value so far was written by `base_rev`.
    pub fn set(
        entity: &'static str,
        id: Uuid,
        field: impl Into<String>,
        value: Value,
        base_rev: Option<Uuid>,
    ) -> Self {
        Self { entity, id, kind: Kind::Set, field: Some(field.into()), value, base_rev }
    }

    /// Adds a member to a field that holds several.
    pub fn add(entity: &'static str, id: Uuid, field: impl Into<String>, value: Value) -> Self {
        Self { entity, id, kind: Kind::Add, field: Some(field.into()), value, base_rev: None }
    }

    /// Deletes a record of which these operations were seen.
    pub fn delete(entity: &'static str, id: Uuid, saw: impl IntoIterator<Item = Uuid>) -> Self {
        let value = json!({ "saw": saw.into_iter().collect::<Vec<_>>() });
        Self { entity, id, kind: Kind::Delete, field: None, value, base_rev: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_an_operation_holds_what_others_read_of_it() {
        let mut pen = Pen::new(DeviceId(Uuid::from_u128(1)), SiteId(Uuid::from_u128(2)));
        let moment = Moment { now: Millis(0), actor: PersonId(Uuid::from_u128(3)), tx: Uuid::from_u128(4) };
        let draft = Draft::set("check", Uuid::from_u128(5), "answer:pressure", json!({ "value": 2.0 }), None);
        let written = pen.write(draft, Uuid::from_u128(6), moment).unwrap();
        assert_eq!(written, Written::read(&written.body, START).unwrap());
    }
}
