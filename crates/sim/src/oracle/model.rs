//! What the hub's log amounts to, worked out a second time and more simply than the program does: so that a fault which
//! both ends share is seen too.

use super::Verdict;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What stands in the log for one field of one record.
#[derive(Default)]
struct Field {
    written: BTreeSet<Uuid>,
    replaced: BTreeSet<Uuid>,
}

/// Looks whether the hub shows what its log says: every value that nobody has replaced, and no record that was deleted
/// in sight of everything that was written.
pub fn agrees(hub: &Connection) -> Verdict {
    let told = |error: rusqlite::Error| format!("the oracle cannot read the hub: {error}");
    let ops = log(hub).map_err(told)?;
    let mut fields: BTreeMap<(Uuid, String), Field> = BTreeMap::new();
    let mut seen: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    let mut changes: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for op in &ops {
        let (id, op_id) = (uuid(&op["id"]), uuid(&op["op_id"]));
        let (kind, field) = (op["kind"].as_str().unwrap_or_default(), op["field"].as_str());
        let saw = || op["value"]["saw"].as_array().into_iter().flatten().map(uuid);
        if kind == "delete" {
            seen.entry(id).or_default().extend(saw());
            continue;
        }
        changes.entry(id).or_default().insert(op_id);
        let mut write = |field: &str, replaced: Vec<Uuid>| {
            let known = fields.entry((id, field.to_owned())).or_default();
            known.written.insert(op_id);
            known.replaced.extend(replaced);
        };
        match (kind, field) {
            ("set", Some(field)) => write(field, op["base_rev"].as_str().map(uuid_of).into_iter().collect()),
            ("set", None) => {
                op["value"].as_object().into_iter().flatten().for_each(|(field, _)| write(field, Vec::new()));
            }
            ("resolve", Some(field)) => write(field, saw().collect()),
            _ => {}
        }
    }
    let mut pins = hub.prepare("SELECT rev FROM pin WHERE id = ?1 AND field = ?2").map_err(told)?;
    let mut shown = hub.prepare("SELECT sides FROM register WHERE id = ?1 AND field = ?2").map_err(told)?;
    for ((id, field), Field { written, replaced }) in &fields {
        let mut expected: BTreeSet<Uuid> = written.difference(replaced).copied().collect();
        let pin: Option<Uuid> = pins.query_row((id, field), |row| row.get(0)).ok();
        expected.extend(pin.filter(|pin| written.contains(pin)));
        let sides: String = shown.query_row((id, field), |row| row.get(0)).unwrap_or_default();
        let found: BTreeSet<Uuid> = super::compare::revs(&sides).into_iter().collect();
        if found != expected {
            return Err(format!("the hub shows {found:?} for {field} of {id}; its log says {expected:?}"));
        }
    }
    let mut checks = hub.prepare("SELECT 1 FROM checks WHERE id = ?1").map_err(told)?;
    for (id, seen) in &seen {
        let is_deleted = changes.get(id).is_none_or(|changes| changes.is_subset(seen));
        let is_shown = checks.exists([id]).map_err(told)?;
        if is_deleted == is_shown {
            return Err(format!("the check {id} was deleted: {is_deleted}; it is shown: {is_shown}"));
        }
    }
    Ok(())
}

fn log(hub: &Connection) -> rusqlite::Result<Vec<Value>> {
    let mut rows = hub.prepare("SELECT body FROM op ORDER BY seq")?;
    let bodies: Vec<String> = rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect())
}

fn uuid(value: &Value) -> Uuid {
    uuid_of(value.as_str().unwrap_or_default())
}

fn uuid_of(text: &str) -> Uuid {
    text.parse().unwrap_or_default()
}
