//! The registers, members and pins of the log's records.

use super::desk::{Desk, bits, json, parse};
use super::value::bind;
use crate::store::StoreError;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{DeviceId, Millis};
use standpipe_oplog::merge::{Register, Side};
use standpipe_oplog::op::Op;
use standpipe_oplog::replica::Replica;
use uuid::Uuid;

impl Desk<'_> {
    /// The operations that `which` names for a record, in the order of their arrival.
    pub(super) fn ops(&self, doing: &'static str, which: &str, id: Uuid) -> Result<Vec<Op>, StoreError> {
        let sql = format!("SELECT body, received FROM op {which} ORDER BY scope, seq");
        let rows: Vec<(String, i64)> =
            self.all(doing, &sql, bind![id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.iter()
            .map(|(body, received)| {
                let op: Op = parse(doing, body)?;
                Ok(Op { hlc: op.hlc.clamped(Millis(*received)), ..op })
            })
            .collect()
    }
}

impl Replica for Desk<'_> {
    type Error = StoreError;

    fn ops_of(&mut self, id: Uuid) -> Result<Vec<Op>, StoreError> {
        self.ops("reading the operations on a record", "WHERE id = ?", id)
    }

    fn register(&mut self, id: Uuid, field: &str) -> Result<Register, StoreError> {
        let sql = "SELECT sides FROM register WHERE id = ? AND field = ?";
        let sides = self.record("reading a field", sql, bind![id, field])?.unwrap_or_default();
        Ok(Register { sides, pin: self.pin(id, field)? })
    }

    fn put_register(
        &mut self,
        _entity: &str,
        id: Uuid,
        field: &str,
        register: &Register,
    ) -> Result<(), StoreError> {
        let doing = "writing a field";
        let sql = "INSERT INTO register (id, field, sides) VALUES (?, ?, ?)
                   ON CONFLICT (id, field) DO UPDATE SET sides = excluded.sides";
        self.run(doing, sql, bind![id, field, json(doing, &register.sides)?]).map(drop)
    }

    fn put_members(
        &mut self,
        entity: &str,
        id: Uuid,
        field: &str,
        members: &[Side],
    ) -> Result<(), StoreError> {
        self.run(
            "emptying a field of several",
            "DELETE FROM member WHERE id = ? AND field = ?",
            bind![id, field],
        )?;
        members.iter().try_for_each(|member| self.add_member(entity, id, field, member))
    }

    fn add_member(&mut self, _entity: &str, id: Uuid, field: &str, member: &Side) -> Result<(), StoreError> {
        let doing = "adding to a field of several";
        let sha256 = serde_json::from_value(member.value.clone()).map(|it: Evidence| it.sha256.0).ok();
        let sql = "INSERT INTO member (id, field, rev, hlc, side, sha256) VALUES (?, ?, ?, ?, ?, ?)
                   ON CONFLICT (id, field, rev) DO UPDATE
                   SET hlc = excluded.hlc, side = excluded.side, sha256 = excluded.sha256";
        let (hlc, side) = (bits(member.hlc.0), json(doing, member)?);
        self.run(doing, sql, bind![id, field, member.rev, hlc, side, sha256]).map(drop)
    }

    fn has_removals(&mut self, id: Uuid) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM op WHERE id = ? AND kind = 'remove')";
        Ok(self.first("looking for removals", sql, bind![id], |row| row.get(0))?.unwrap_or(false))
    }

    fn pin(&mut self, id: Uuid, field: &str) -> Result<Option<Uuid>, StoreError> {
        let sql = "SELECT rev FROM pin WHERE id = ? AND field = ?";
        self.first("reading what was signed", sql, bind![id, field], |row| row.get(0))
    }

    fn put_pin(&mut self, id: Uuid, field: &str, rev: Uuid) -> Result<(), StoreError> {
        let sql = "INSERT INTO pin (id, field, rev) VALUES (?, ?, ?)
                   ON CONFLICT (id, field) DO UPDATE SET rev = excluded.rev";
        self.run("noting what was signed", sql, bind![id, field, rev]).map(drop)
    }

    fn seals(&mut self) -> Result<Vec<Op>, StoreError> {
        let sql = "SELECT body FROM op WHERE kind = 'seal' ORDER BY received, op_id";
        self.records("reading what was signed", sql, &[])
    }

    fn office(&self) -> Option<DeviceId> {
        Some(self.identity.device)
    }
}
