//! What somebody must be allowed to do for an operation to be applied.

use standpipe_domain::permission::Act;
use standpipe_domain::record::entity;
use standpipe_oplog::op::{Kind, Op};

/// The fields of a check that its plan sets.
const PLAN: [&str; 4] = ["round", "asset", "checklist", "order"];

/// What an operation amounts to. Issues have a table of their own: see [`super::steps`].
pub(super) fn act(op: &Op) -> Act {
    match op.entity.as_str() {
        entity::PERSON | entity::UNIT => Act::Administer,
        entity::PLACE | entity::ASSET | entity::ROUND => Act::Plan,
        entity::CHECK if plans(op) => Act::Plan,
        // What a later version records beside it, and entities that this version does not know, too.
        _ => Act::Record,
    }
}

fn plans(op: &Op) -> bool {
    let planned = |field: &str| PLAN.contains(&field);
    match &op.field {
        Some(field) => planned(field),
        None => {
            op.kind == Kind::Delete
                || op.value.as_object().is_some_and(|fields| fields.keys().any(|field| planned(field)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn op(entity: &str, kind: &str, field: Option<&str>, value: &Value) -> Op {
        let id = uuid::Uuid::nil();
        serde_json::from_value(json!({
            "op_id": id, "device": id, "incarnation": 1, "dev_seq": 1, "tx": id, "scope": id, "entity": entity,
            "id": id, "kind": kind, "field": field, "value": value, "hlc": "0000000000000000",
            "device_time": 0, "actor": id, "schema": 1,
        }))
        .unwrap()
    }

    #[test]
    fn recording_planning_and_administering_are_told_apart() {
        for (entity, kind, field, value, expected) in [
            ("check", "set", Some("answer:door"), json!({}), Act::Record),
            ("check", "add", Some("photos"), json!({}), Act::Record),
            ("check", "set", Some("of-tomorrow"), json!(1), Act::Record),
            ("check", "set", Some("asset"), json!("x"), Act::Plan),
            ("check", "set", None, json!({"answer:door": {}, "order": 3}), Act::Plan),
            ("check", "delete", None, json!({"saw": []}), Act::Plan),
            ("finding", "set", None, json!({}), Act::Record),
            ("sign-off", "seal", None, json!({}), Act::Record),
            ("thing-of-tomorrow", "set", None, json!({}), Act::Record),
            ("round", "set", Some("due"), json!("2023-07-01"), Act::Plan),
            ("person", "set", Some("roles"), json!(["administrator"]), Act::Administer),
            ("person", "kind-of-tomorrow", None, json!({}), Act::Administer),
        ] {
            assert_eq!(act(&op(entity, kind, field, &value)), expected, "{entity} {kind} {field:?}");
        }
    }
}
