//! What the row of a record is made of.

use super::inside::holds_any;
use crate::store::fault::StoreError;
use crate::store::{log, replica};
use rusqlite::Connection;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use standpipe_domain::ids::Millis;
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::read;
use standpipe_oplog::merge::is_gone;
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::replica::fields_of;
use std::borrow::Cow;
use std::collections::HashMap;
use uuid::Uuid;

/// What is shown of a record.
pub struct State<'a> {
    id: Uuid,
    fields: Vec<(Cow<'a, str>, Cow<'a, Value>)>,
    /// How many of its fields are in conflict.
    pub in_conflict: usize,
    /// When what is shown was written, by its author's clock.
    pub changed: Millis,
    is_deleted: bool,
}

/// Records whose operations are all at hand, and each of whose fields one of them wrote at once with others: their rows are
/// made without asking the database for what was put there a moment ago.
#[derive(Default)]
pub struct AtHand<'a>(HashMap<Uuid, Option<Vec<&'a Op>>>);

impl<'a> AtHand<'a> {
    /// Whether a record was met.
    pub fn knows(&self, id: Uuid) -> bool {
        self.0.contains_key(&id)
    }

    /// Counts an operation in that the log holds by now. `had` tells, of a record that is met for the first time, whether the
    /// log held anything on it before. Gives whether the record is at hand, so that nothing else is to be written of the
    /// operation.
    pub fn count(&mut self, op: &'a Op, had: bool) -> bool {
        let known = self.0.entry(op.id).or_insert_with(|| if had { None } else { Some(Vec::new()) });
        let Some(ops) = known else { return false };
        let is_whole = op.kind == Kind::Set && op.field.is_none() && op.base_rev.is_none();
        let wrote = |field| ops.iter().any(|op| op.value.get(field).is_some());
        if !is_whole || fields_of(op).any(wrote) {
            *known = None;
            return false;
        }
        ops.push(op);
        true
    }

    /// Something else was written of a record than what is at hand.
    pub fn forget(&mut self, id: Uuid) {
        self.0.insert(id, None);
    }

    /// What is shown of a record.
    pub fn state(&self, conn: &Connection, entity: &str, id: Uuid) -> Result<State<'a>, StoreError> {
        let Some(Some(ops)) = self.0.get(&id) else { return State::load(conn, entity, id) };
        let mut fields = Vec::new();
        for op in ops {
            let all = op.value.as_object().into_iter().flatten();
            fields.extend(all.map(|(field, value)| (Cow::Borrowed(field.as_str()), Cow::Borrowed(value))));
        }
        let changed = ops.iter().map(|op| op.device_time).max().unwrap_or_default();
        Ok(State { id, fields, in_conflict: 0, changed, is_deleted: false })
    }
}

impl State<'_> {
    fn load(conn: &Connection, entity: &str, id: Uuid) -> Result<State<'static>, StoreError> {
        let registers = replica::registers(conn, id)?;
        let in_conflict = registers.values().filter(|register| register.in_conflict()).count();
        let shown_at = registers.values().filter_map(|register| Some(register.shown()?.at));
        let changed = shown_at.max().unwrap_or_default();
        let shown = registers.into_iter().filter_map(|(field, mut register)| {
            let shown = (!register.sides.is_empty()).then(|| register.sides.swap_remove(0))?;
            Some((Cow::Owned(field), Cow::Owned(shown.value)))
        });
        let fields = shown.collect();
        let is_deleted = log::has_rare(conn, id, Kind::Delete)?
            && is_gone(&log::ops_of(conn, id)?, replica::is_sealed(conn, id)?)
            && !holds_any(conn, entity, id)?;
        Ok(State { id, fields, in_conflict, changed, is_deleted })
    }

    /// The typed record, or `None` while it is incomplete or after it was deleted.
    pub fn record<T: DeserializeOwned>(&self) -> Option<T> {
        if self.is_deleted {
            return None;
        }
        // The answers of a check are no part of its record.
        let own = self.fields.iter().filter(|(field, _)| !field.starts_with(ANSWER));
        let fields: Map<String, Value> =
            own.map(|(field, value)| (field.clone().into_owned(), value.clone().into_owned())).collect();
        read(self.id, fields).ok()
    }

    /// The values of the items that were answered.
    pub fn answers(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields.iter().filter_map(|(field, value)| Some((field.strip_prefix(ANSWER)?, &**value)))
    }
}
