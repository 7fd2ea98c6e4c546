//! The state of a field out of the operations on it: a conflict is a value with its sides, not an error.
//!
//! A field's operations form a graph by `base_rev`. The *heads*, those that no other operation has replaced, are its
//! sides. One head, or several of equal value: that is the value. Otherwise all stand, the field's declared rule picks
//! the one that is shown, and somebody is asked. The state follows from the *set* of operations, not from the order
//! in which they arrived: so replicas that hold the same operations show the same thing.

use crate::clock::Hlc;
use crate::op::{Amend, Kind, Op, Resolve, Saw};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use standpipe_domain::answer::Answer;
use standpipe_domain::ids::{DeviceId, Millis, PersonId};
use standpipe_domain::merge_rule::{ANSWER, Rule};
use standpipe_domain::tablet::{Amendment, ConflictSide};
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

/// One value of a field, and who wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Side {
    pub rev: Uuid,
    pub value: Value,
    pub hlc: Hlc,
    pub actor: PersonId,
    pub device: DeviceId,
    pub at: Millis,
    /// Of the side that is shown: an operation on the field says that it replaces one that is not held. That one may
    /// come, replaced before it arrived, so a change of the field is not taken in without a look at the others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits: bool,
}

/// A field with all its sides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Register {
    /// The value that is shown stands first. Empty when nothing wrote the field.
    pub sides: Vec<Side>,
    /// What was signed and may not change; it is shown whatever else was written.
    pub pin: Option<Uuid>,
}

/// A change that was made to a sealed field, and stands beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Amended {
    pub field: String,
    pub side: Side,
    pub reason: String,
}

impl Side {
    fn new(op: &Op, value: Value) -> Self {
        let Op { op_id: rev, hlc, actor, device, device_time: at, .. } = *op;
        Self { rev, value, hlc, actor, device, at, awaits: false }
    }

    /// What an operation writes into a field, where it does.
    pub fn written(op: &Op, field: &str) -> Option<Self> {
        written(op, field).map(|(value, _)| Self::new(op, value))
    }

    /// The side as screens show it; `by` is its author's name.
    pub fn view(&self, by: String) -> ConflictSide {
        let (rev, device) = (self.rev.to_string(), self.device.to_string());
        ConflictSide { rev, value: self.value.clone(), by, device, at: self.at }
    }
}

impl Amended {
    /// The amendment as screens show it; `by` is its author's name. `None` when it does not amend an answer.
    pub fn view(&self, by: String, signed: bool) -> Option<Amendment> {
        let item = self.field.strip_prefix(ANSWER)?.to_owned();
        let answer = Answer::deserialize(&self.side.value).ok()?;
        Some(Amendment { item, answer, reason: self.reason.clone(), by, at: self.side.at, signed })
    }
}

impl Register {
    /// The register of `field` out of every operation on it, in any order.
    ///
    /// `pin` is the operation whose value was sealed. `office` is the hub's own device, which some rules prefer.
    pub fn fold<'a>(
        ops: impl IntoIterator<Item = &'a Op>,
        field: &str,
        rule: Rule,
        pin: Option<Uuid>,
        office: Option<DeviceId>,
    ) -> Self {
        let mut sides: Vec<Side> = Vec::new();
        let mut replaced: HashSet<Uuid> = HashSet::new();
        for op in ops {
            if let Some((value, saw)) = written(op, field) {
                replaced.extend(saw);
                sides.push(Side::new(op, value));
            }
        }
        let held: HashSet<Uuid> = sides.iter().map(|side| side.rev).collect();
        let head = |side: &Side| pin == Some(side.rev) || !replaced.contains(&side.rev);
        // Only a forger can make operations that replace each other in a ring; what was written is shown all the same.
        if sides.iter().any(head) {
            sides.retain(head);
        }
        let mut register = Self { sides, pin };
        register.arrange(rule, office);
        if let Some(shown) = register.sides.first_mut() {
            shown.awaits = !replaced.is_subset(&held);
        }
        register
    }

    /// The value that is shown, with its author; `None` when nothing wrote the field.
    pub fn shown(&self) -> Option<&Side> {
        self.sides.first()
    }

    /// The operations that wrote what is shown: several where they agree.
    pub fn shown_revs(&self) -> Vec<Uuid> {
        let shown = |side: &&Side| same(&side.value, &self.sides[0].value);
        self.sides.iter().filter(shown).map(|side| side.rev).collect()
    }

    /// Whether two different values stand.
    pub fn differs(&self) -> bool {
        self.sides.iter().any(|side| !same(&side.value, &self.sides[0].value))
    }

    /// Whether two different values stand and somebody must choose. What was sealed is settled: a late value stands
    /// beside it, and nobody is asked.
    pub fn in_conflict(&self) -> bool {
        self.pin.is_none() && self.differs()
    }

    /// What all sides started from, where that is one value and the log, which `op` looks into, holds it.
    ///
    /// # Errors
    /// Those of `op`.
    pub fn base<E>(
        &self,
        field: &str,
        mut op: impl FnMut(Uuid) -> Result<Option<Op>, E>,
    ) -> Result<Option<Side>, E> {
        let mut bases = BTreeSet::new();
        for side in &self.sides {
            bases.insert(op(side.rev)?.and_then(|op| op.base_rev));
        }
        let (Some(Some(rev)), 1) = (bases.first(), bases.len()) else { return Ok(None) };
        Ok(op(*rev)?.and_then(|op| Side::written(&op, field)))
    }

    /// Takes the operation in without a look at the others, where that gives what [`Register::fold`] would: the field
    /// is unsealed, and the operation replaces its only side, or is the first. `false` when only a fold can tell.
    pub fn advance(&mut self, op: &Op, field: &str) -> bool {
        if self.pin.is_some() || self.sides.len() > 1 {
            return false;
        }
        let Some((value, saw)) = written(op, field) else { return false };
        match self.sides.first() {
            None if saw.is_empty() => {}
            // It may have been replaced itself before it came, where something awaits it.
            Some(only) if !only.awaits && saw == [only.rev] => {}
            _ => return false,
        }
        self.sides = vec![Side::new(op, value)];
        true
    }

    /// Puts the shown side first.
    fn arrange(&mut self, rule: Rule, office: Option<DeviceId>) {
        let pin = self.pin;
        let key = |side: &Side| {
            let by_office = office == Some(side.device);
            (pin == Some(side.rev), rule.rank(&side.value, by_office), side.hlc, side.rev)
        };
        self.sides.sort_by_key(|side| std::cmp::Reverse(key(side)));
    }
}

/// Two people who gave the same answer a minute apart agree.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let but_time = |key: &&String| key.as_str() != "at";
            a.keys().filter(but_time).chain(b.keys().filter(but_time)).all(|key| a.get(key) == b.get(key))
        }
        _ => a == b,
    }
}

/// What an operation writes into `field`, and the operations that it replaces there.
fn written(op: &Op, field: &str) -> Option<(Value, Vec<Uuid>)> {
    let own = op.field.as_deref() == Some(field);
    match op.kind {
        Kind::Set if own => Some((op.value.clone(), op.base_rev.into_iter().collect())),
        Kind::Set if op.field.is_none() => {
            Some((op.value.get(field)?.clone(), op.base_rev.into_iter().collect()))
        }
        Kind::Resolve if own => {
            let resolve = Resolve::deserialize(&op.value).ok()?;
            Some((resolve.value, resolve.saw))
        }
        _ => None,
    }
}

/// What somebody replaces who writes a field and saw `seen` of it, out of every operation on its record: the last of what
/// they saw. What they wrote themselves, by `is_own`, over nothing else than that counts as seen too: it was recorded
/// while what they write now was on its way. Whatever is named that did not write this field is left out.
pub fn replaced<'a>(
    ops: impl IntoIterator<Item = &'a Op>,
    field: &str,
    seen: &[Uuid],
    is_own: impl Fn(&Op) -> bool,
) -> Vec<Uuid> {
    let writes: Vec<(Uuid, Vec<Uuid>, bool)> =
        ops.into_iter().filter_map(|op| Some((op.op_id, written(op, field)?.1, is_own(op)))).collect();
    let mut known: BTreeSet<Uuid> =
        writes.iter().map(|(rev, ..)| *rev).filter(|rev| seen.contains(rev)).collect();
    let from_nothing = known.is_empty();
    loop {
        let before = known.len();
        for (rev, saw, is_own) in &writes {
            let follows = if saw.is_empty() { from_nothing } else { saw.iter().all(|it| known.contains(it)) };
            if *is_own && follows {
                known.insert(*rev);
            }
        }
        if known.len() == before {
            break;
        }
    }
    let older: HashSet<Uuid> =
        writes.iter().filter(|(rev, ..)| known.contains(rev)).flat_map(|(_, saw, _)| saw.clone()).collect();
    known.into_iter().filter(|rev| !older.contains(rev)).collect()
}

/// The amendments among the operations on one record, oldest first.
pub fn amendments<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Vec<Amended> {
    let amended = |op: &Op| {
        let amend = Amend::deserialize(&op.value).ok()?;
        Some(Amended { field: op.field.clone()?, side: Side::new(op, amend.value), reason: amend.reason })
    };
    // Stamps of a wrong clock are clamped, and may be the same then: what one tablet wrote stands in its own order.
    let order = |op: &Op| (op.hlc, op.device, op.incarnation, op.dev_seq, op.op_id);
    let mut ops: Vec<&Op> = ops.into_iter().filter(|op| op.kind == Kind::Amend).collect();
    ops.sort_by_key(|op| order(op));
    ops.into_iter().filter_map(amended).collect()
}

/// What the latest of the amendments that count says of an item, out of the operations on its check; `None` when none does.
/// `shown` is the side that is shown for the item, amendments apart.
///
/// An amendment counts that was made over that side, or later than it. Any other was made over an answer that does not
/// stand any more: mostly under a signature that the hub set aside, after which the item was answered anew.
pub fn amended_answer<'a>(
    ops: impl IntoIterator<Item = &'a Op>,
    item: &str,
    shown: Option<&Side>,
) -> Option<Answer> {
    let counts = |op: &&Op| {
        shown.is_none_or(|side| op.base_rev == Some(side.rev) || (op.hlc, op.op_id) > (side.hlc, side.rev))
    };
    let counting = amendments(ops.into_iter().filter(counts));
    let mut views = counting.into_iter().filter_map(|amended| amended.view(String::new(), false));
    views.rfind(|amendment| amendment.item == item).map(|amendment| amendment.answer)
}

/// The members of a field that holds several, oldest first: added, and not taken out by somebody who saw them. Those in
/// `sealed` were signed, and stay.
pub fn members<'a>(
    ops: impl IntoIterator<Item = &'a Op> + Clone,
    field: &str,
    sealed: &BTreeSet<Uuid>,
) -> Vec<Side> {
    let own = |op: &&&Op| op.field.as_deref() == Some(field);
    let gone: HashSet<Uuid> = ops
        .clone()
        .into_iter()
        .filter(|op| op.kind == Kind::Remove && own(&op))
        .filter_map(|op| Saw::deserialize(&op.value).ok())
        .flat_map(|saw| saw.saw)
        .collect();
    let mut members: Vec<Side> = ops
        .into_iter()
        .filter(|op| op.kind == Kind::Add && own(&op))
        .filter(|op| sealed.contains(&op.op_id) || !gone.contains(&op.op_id))
        .map(|op| Side::new(op, op.value.clone()))
        .collect();
    members.sort_by_key(|side| (side.hlc, side.rev));
    members
}

/// Whether somebody deleted a record and had seen everything that was written there, out of every operation on it. What
/// was signed stays (`is_sealed`), also where it was deleted before the seal arrived.
pub fn is_gone<'a>(ops: impl IntoIterator<Item = &'a Op> + Clone, is_sealed: bool) -> bool {
    let tombstones = || ops.clone().into_iter().filter(|op| op.kind == Kind::Delete);
    if is_sealed || tombstones().next().is_none() {
        return false;
    }
    let mut seen: HashSet<Uuid> = HashSet::new();
    for saw in tombstones().filter_map(|op| Saw::deserialize(&op.value).ok()) {
        seen.extend(saw.saw);
    }
    // Who deletes names the newest operation on each field; what that one replaced, or settled, was seen too.
    loop {
        let before = seen.len();
        for op in ops.clone() {
            if seen.contains(&op.op_id) {
                seen.extend(op.base_rev);
                if op.kind == Kind::Resolve {
                    seen.extend(Resolve::deserialize(&op.value).into_iter().flat_map(|it| it.saw));
                }
            }
        }
        if seen.len() == before {
            break;
        }
    }
    ops.into_iter().all(|op| op.kind == Kind::Delete || seen.contains(&op.op_id))
}

/// The tombstones among these operations, by stamp and id: of several on one record, screens show the last.
pub fn tombstones<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Vec<&'a Op> {
    let mut tombstones: Vec<&Op> = ops.into_iter().filter(|op| op.kind == Kind::Delete).collect();
    tombstones.sort_by_key(|op| (op.hlc, op.op_id));
    tombstones
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
