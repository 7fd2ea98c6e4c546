//! What an operation was to record, field by field, for people who look after one that was set aside.

use crate::op::{Amend, Kind, Op, Resolve};
use crate::seal::SealPayload;
use serde::Deserialize;
use serde_json::{Value, json};

/// What an operation was to write, field by field; `null` where it was to take something away.
pub fn recorded(op: &Op) -> Vec<(String, Value)> {
    let field = op.field.clone().unwrap_or_default();
    match op.kind {
        Kind::Set if op.field.is_none() => {
            op.value.as_object().cloned().unwrap_or_default().into_iter().collect()
        }
        Kind::Resolve => match Resolve::deserialize(&op.value) {
            Ok(resolve) => vec![(field, resolve.value)],
            Err(_) => vec![(field, op.value.clone())],
        },
        Kind::Amend => match Amend::deserialize(&op.value) {
            Ok(amend) => vec![(field, amend.value), ("reason".into(), json!(amend.reason))],
            Err(_) => vec![(field, op.value.clone())],
        },
        Kind::Remove => vec![(field, Value::Null)],
        // Only the office takes whole records away.
        Kind::Delete => Vec::new(),
        Kind::Seal => sealed(&op.value),
        _ => vec![(field, op.value.clone())],
    }
}

/// The words of a signature; its strokes say nothing to whoever signs again.
fn sealed(value: &Value) -> Vec<(String, Value)> {
    let Some(payload) = SealPayload::of(value) else { return Vec::new() };
    let objection = payload.objection.map(|objection| ("objection".to_owned(), json!(objection)));
    std::iter::once(("name".to_owned(), json!(payload.name))).chain(objection).collect()
}
