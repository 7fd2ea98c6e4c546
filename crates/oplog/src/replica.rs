//! How an operation changes a replica's first projection: registers and members.
//!
//! The typed tables of the tablet and of the hub are made from these, so that both read the same record out of the same
//! operations. The rules stand here once; each side brings its own storage.

use crate::merge::{Register, Side};
use crate::op::{Kind, Op};
use crate::seal::{Covered, SealPayload};
use standpipe_domain::ids::DeviceId;
use standpipe_domain::merge_rule::rule;
use standpipe_domain::record::{entity, set};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The storage that a projection needs. All calls of one operation happen in one database transaction.
pub trait Replica {
    type Error;

    /// Every operation on a record that this replica holds, in any order.
    fn ops_of(&mut self, id: Uuid) -> Result<Vec<Op>, Self::Error>;
    /// Which of the fields that one operation writes at once need a register of their own. A replica that reads a field
    /// which nothing else wrote out of the log itself leaves those out; what it leaves out it gives as a register all the
    /// same.
    fn apart<'o>(&mut self, op: &'o Op) -> Result<Vec<&'o str>, Self::Error> {
        Ok(fields_of(op).collect())
    }
    /// The register of a field, with what was sealed there; empty when nothing wrote it.
    fn register(&mut self, id: Uuid, field: &str) -> Result<Register, Self::Error>;
    fn put_register(
        &mut self,
        entity: &str,
        id: Uuid,
        field: &str,
        register: &Register,
    ) -> Result<(), Self::Error>;
    /// Replaces the members of a field that holds several.
    fn put_members(
        &mut self,
        entity: &str,
        id: Uuid,
        field: &str,
        members: &[Side],
    ) -> Result<(), Self::Error>;
    /// Adds one member to a field that nothing was ever removed from.
    fn add_member(&mut self, entity: &str, id: Uuid, field: &str, member: &Side) -> Result<(), Self::Error>;
    /// Whether an operation that takes members out of a field of this record is held.
    fn has_removals(&mut self, id: Uuid) -> Result<bool, Self::Error>;
    /// The operation whose value was sealed in a field.
    fn pin(&mut self, id: Uuid, field: &str) -> Result<Option<Uuid>, Self::Error>;
    fn put_pin(&mut self, id: Uuid, field: &str, rev: Uuid) -> Result<(), Self::Error>;
    /// Every seal, in the order in which the hub received them; behind them those that it has not.
    fn seals(&mut self) -> Result<Vec<Op>, Self::Error>;
    /// The hub's own device, where it is known.
    fn office(&self) -> Option<DeviceId>;
}

/// A record that an operation changed. Ordered as rows are made: what others are found by comes first, and what stands in
/// another record before that record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Touched {
    pub entity: String,
    pub id: Uuid,
}

impl Touched {
    pub fn new(entity: &str, id: Uuid) -> Self {
        Self { entity: entity.to_owned(), id }
    }

    fn rank(&self) -> u8 {
        match self.entity.as_str() {
            entity::PLACE => 0,
            entity::ISSUE => 1,
            entity::FINDING => 2,
            entity::CHECK => 3,
            _ => 4,
        }
    }
}

impl Ord for Touched {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.rank(), &self.entity, self.id).cmp(&(other.rank(), &other.entity, other.id))
    }
}

impl PartialOrd for Touched {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The fields that an operation on a whole record writes.
pub fn fields_of(op: &Op) -> impl Iterator<Item = &str> {
    let is_whole = op.kind == Kind::Set && op.field.is_none();
    let fields = if is_whole { op.value.as_object() } else { None };
    fields.into_iter().flat_map(serde_json::Map::keys).map(String::as_str)
}

/// Applies one operation, which the replica's log already holds. Gives the records whose projections it changed.
pub fn apply<R: Replica + ?Sized>(replica: &mut R, op: &Op) -> Result<Vec<Touched>, R::Error> {
    let mut touched = vec![Touched::new(&op.entity, op.id)];
    match (op.kind, &op.field) {
        (Kind::Set, None) => {
            for field in replica.apart(op)? {
                write(replica, op, field)?;
            }
        }
        (Kind::Set | Kind::Resolve, Some(field)) => write(replica, op, field)?,
        (Kind::Add, Some(field)) if !replica.has_removals(op.id)? => {
            let member = crate::merge::members([op], field, &BTreeSet::new());
            for side in &member {
                replica.add_member(&op.entity, op.id, field, side)?;
            }
        }
        (Kind::Add | Kind::Remove, Some(field)) => {
            put_members(replica, &op.entity, op.id, field)?;
        }
        (Kind::Seal, _) => touched.extend(pin_sealed(replica, op)?),
        // Amendments and tombstones are read from the log where they are shown; what is unknown waits for an update.
        _ => {}
    }
    Ok(touched)
}

fn write<R: Replica + ?Sized>(replica: &mut R, op: &Op, field: &str) -> Result<(), R::Error> {
    let mut register = replica.register(op.id, field)?;
    if !register.advance(op, field) {
        refold(replica, &op.entity, op.id, field, register.pin)?;
        return Ok(());
    }
    replica.put_register(&op.entity, op.id, field, &register)
}

fn refold<R: Replica + ?Sized>(
    replica: &mut R,
    entity: &str,
    id: Uuid,
    field: &str,
    pin: Option<Uuid>,
) -> Result<(), R::Error> {
    let ops = replica.ops_of(id)?;
    let register = Register::fold(&ops, field, rule(entity, field), pin, replica.office());
    replica.put_register(entity, id, field, &register)
}

fn put_members<R: Replica + ?Sized>(
    replica: &mut R,
    entity: &str,
    id: Uuid,
    field: &str,
) -> Result<(), R::Error> {
    let ops = replica.ops_of(id)?;
    let mut sealed = BTreeSet::new();
    for op in ops.iter().filter(|op| op.kind == Kind::Add && op.field.as_deref() == Some(field)) {
        sealed.extend(replica.pin(id, &member_pin(field, op.op_id))?);
    }
    let members = crate::merge::members(&ops, field, &sealed);
    replica.put_members(entity, id, field, &members)
}

/// Under which name a member of a field, or a signature, is pinned: no field of a record is called so.
fn member_pin(field: &str, rev: Uuid) -> String {
    format!("{field}/{rev}")
}

/// A seal pins what it covers: a change that was on its way, or was never meant to be, cannot replace it.
fn pin_sealed<R: Replica + ?Sized>(replica: &mut R, op: &Op) -> Result<Vec<Touched>, R::Error> {
    let Some(payload) = SealPayload::of(&op.value) else { return Ok(Vec::new()) };
    let mut touched = Vec::new();
    for Covered { entity, id, revs, photos } in payload.covered() {
        for (field, rev) in revs {
            let rev = match replica.pin(id, field)? {
                None => *rev,
                // Those who sign later sign the same.
                Some(pinned) if pinned == *rev => continue,
                // Unless the hub was restored between two that do not: the one that it received first holds.
                Some(pinned) => match first_signed(replica, id, field)? {
                    Some(first) if first != pinned => first,
                    _ => continue,
                },
            };
            replica.put_pin(id, field, rev)?;
            refold(replica, entity, id, field, Some(rev))?;
        }
        for photo in photos {
            replica.put_pin(id, &member_pin(set::PHOTOS, *photo), *photo)?;
        }
        if !photos.is_empty() && replica.has_removals(id)? {
            put_members(replica, entity, id, set::PHOTOS)?;
        }
        touched.push(Touched::new(entity, id));
    }
    // Nobody who deletes the round takes out of sight what was signed on it.
    let round = payload.round.0;
    replica.put_pin(round, &member_pin("signed", op.op_id), op.op_id)?;
    touched.push(Touched::new(entity::ROUND, round));
    Ok(touched)
}

/// What the first of all seals that cover a field says of it.
fn first_signed<R: Replica + ?Sized>(
    replica: &mut R,
    id: Uuid,
    field: &str,
) -> Result<Option<Uuid>, R::Error> {
    let said = |op: &Op| {
        let payload = SealPayload::of(&op.value)?;
        let mut covered = payload.covered();
        covered.find_map(|covered| if covered.id == id { covered.revs.get(field).copied() } else { None })
    };
    Ok(replica.seals()?.iter().find_map(said))
}
