//! A replica in memory.

use super::OFFICE;
use standpipe_domain::ids::DeviceId;
use standpipe_oplog::clock::Hlc;
use standpipe_oplog::merge::{Register, Side};
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::replica::{Replica, apply};
use std::collections::BTreeMap;
use std::convert::Infallible;
use uuid::Uuid;

/// A replica that took `ops` in this order.
pub fn applied(ops: &[&Op]) -> Memory {
    let mut memory = Memory::default();
    for op in ops {
        // As both stores do: what the log holds already is not applied again.
        if memory.log.iter().all(|held| held.op_id != op.op_id) {
            memory.log.push((*op).clone());
            let Ok(touched) = apply(&mut memory, op);
            assert!(!touched.is_empty());
        }
    }
    memory
}

type Field = (Uuid, String);

/// A replica in memory.
#[derive(Default)]
pub struct Memory {
    log: Vec<Op>,
    pub registers: BTreeMap<Field, Register>,
    members: BTreeMap<Field, BTreeMap<(Hlc, Uuid), Side>>,
    pub pins: BTreeMap<Field, Uuid>,
}

impl Memory {
    /// All that it shows.
    pub fn state(&self) -> impl PartialEq + std::fmt::Debug + '_ {
        // Where nothing ever was and where everything was taken out nothing is shown.
        let members: Vec<_> = self.members.iter().filter(|(_, members)| !members.is_empty()).collect();
        (&self.registers, members, &self.pins)
    }
}

fn keyed(members: &[Side]) -> BTreeMap<(Hlc, Uuid), Side> {
    members.iter().map(|side| ((side.hlc, side.rev), side.clone())).collect()
}

impl Replica for Memory {
    type Error = Infallible;

    fn ops_of(&mut self, id: Uuid) -> Result<Vec<Op>, Infallible> {
        Ok(self.log.iter().filter(|op| op.id == id).cloned().collect())
    }

    fn register(&mut self, id: Uuid, field: &str) -> Result<Register, Infallible> {
        Ok(self.registers.get(&(id, field.to_owned())).cloned().unwrap_or_default())
    }

    fn put_register(
        &mut self,
        _: &str,
        id: Uuid,
        field: &str,
        register: &Register,
    ) -> Result<(), Infallible> {
        self.registers.insert((id, field.to_owned()), register.clone());
        Ok(())
    }

    fn put_members(&mut self, _: &str, id: Uuid, field: &str, members: &[Side]) -> Result<(), Infallible> {
        self.members.insert((id, field.to_owned()), keyed(members));
        Ok(())
    }

    fn add_member(&mut self, _: &str, id: Uuid, field: &str, member: &Side) -> Result<(), Infallible> {
        self.members
            .entry((id, field.to_owned()))
            .or_default()
            .insert((member.hlc, member.rev), member.clone());
        Ok(())
    }

    fn has_removals(&mut self, id: Uuid) -> Result<bool, Infallible> {
        Ok(self.log.iter().any(|op| op.id == id && op.kind == Kind::Remove))
    }

    fn pin(&mut self, id: Uuid, field: &str) -> Result<Option<Uuid>, Infallible> {
        Ok(self.pins.get(&(id, field.to_owned())).copied())
    }

    fn put_pin(&mut self, id: Uuid, field: &str, rev: Uuid) -> Result<(), Infallible> {
        self.pins.insert((id, field.to_owned()), rev);
        Ok(())
    }

    fn seals(&mut self) -> Result<Vec<Op>, Infallible> {
        let mut seals: Vec<Op> = self.log.iter().filter(|op| op.kind == Kind::Seal).cloned().collect();
        // All of them were received at one moment.
        seals.sort_by_key(|op| op.op_id);
        Ok(seals)
    }

    fn office(&self) -> Option<DeviceId> {
        Some(OFFICE)
    }
}
