//! What the hub's log amounts to, worked out a second time and more simply than the program does: so that a fault which
//! both ends share is seen too.

use super::Verdict;
use super::compare::{office_members, sides};
use crate::effects::{Effect, happens};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A clock counts no further ahead than five minutes, by the hub's.
const AHEAD: i64 = 300_000;

/// A field of a record.
type Place = (Uuid, String);

/// What stands in the log for one field of one record.
#[derive(Default)]
struct Field {
    written: BTreeMap<Uuid, Written>,
    replaced: BTreeSet<Uuid>,
}

struct Written {
    value: Value,
    /// Who wrote it, having seen this.
    device: Uuid,
    base: Option<Uuid>,
    stamp: u64,
    by_office: bool,
}

/// What stands in the log for a record as a whole.
#[derive(Default)]
struct Record {
    entity: String,
    changes: BTreeSet<Uuid>,
    deleted: bool,
    seen: BTreeSet<Uuid>,
}

#[derive(Default)]
struct Model {
    fields: BTreeMap<Place, Field>,
    added: BTreeMap<Place, BTreeSet<Uuid>>,
    removed: BTreeMap<Place, BTreeSet<Uuid>>,
    records: BTreeMap<Uuid, Record>,
    /// What was signed of each field, by the first signature that says it, and the photos that were signed.
    signed: BTreeMap<Place, Uuid>,
    signed_photos: BTreeSet<Uuid>,
    /// Of which something was signed.
    signed_records: BTreeSet<Uuid>,
    /// Signatures that say something else than one before them.
    contradicting: BTreeSet<Uuid>,
}

/// Looks whether the hub shows what its log says. Gives the signatures that say something else than one before them: a
/// hub that was restored between two may have taken both.
pub fn agrees(hub: &Connection) -> Result<BTreeSet<Uuid>, String> {
    let told = |error: rusqlite::Error| format!("the oracle cannot read the hub: {error}");
    let office: Uuid = hub.query_row("SELECT device FROM hub", [], |row| row.get(0)).map_err(told)?;
    let mut model = Model::default();
    for (received, op) in log(hub).map_err(told)? {
        model.take(received, &op, office);
    }
    let mut shown = hub.prepare("SELECT sides FROM register WHERE id = ?1 AND field = ?2").map_err(told)?;
    for (place, field) in &model.fields {
        let expected = field.sides(&place.1, model.signed.get(place).copied());
        let found: String = shown.query_row((place.0, &place.1), |row| row.get(0)).unwrap_or_default();
        let found: Vec<Uuid> = sides(&found).into_iter().map(|(rev, _)| rev).collect();
        if found != expected {
            return Err(format!("the hub shows {found:?} for {place:?}; its log says {expected:?}"));
        }
    }
    let members = office_members(hub).map_err(told)?;
    let nothing = BTreeSet::new();
    for (place, added) in &model.added {
        let removed = model.removed.get(place).unwrap_or(&nothing);
        let stays = |op: &&Uuid| model.signed_photos.contains(*op) || !removed.contains(*op);
        let expected: BTreeSet<Uuid> = added.iter().filter(stays).copied().collect();
        let found: BTreeSet<Uuid> = members.get(place).into_iter().flatten().map(|(rev, _)| *rev).collect();
        if found != expected {
            return Err(format!("the hub has {found:?} in {place:?}; its log says {expected:?}"));
        }
    }
    office_follows(hub)?;
    let any = |sql: &str, id: &Uuid| {
        let found = hub.query_row(&format!("SELECT EXISTS ({sql} = ?1)"), [id], |row| row.get::<_, bool>(0));
        found.map_err(told)
    };
    for (id, record) in model.records.iter().filter(|(_, record)| record.deleted) {
        let entity = record.entity.as_str();
        let (shown, within) = match entity {
            "round" => ("SELECT 1 FROM round WHERE id", Some("SELECT 1 FROM checks WHERE round")),
            "check" => ("SELECT 1 FROM checks WHERE id", Some("SELECT 1 FROM finding WHERE check_id")),
            _ => ("SELECT 1 FROM finding WHERE id", Some("SELECT 1 FROM issue WHERE finding")),
        };
        // What was signed stays, whichever came first, and that in which something is left.
        let is_signed = model.signed_records.contains(id);
        let holds = within.map_or(Ok(false), |sql| any(sql, id))?;
        let is_unseen = !record.changes.is_subset(&record.seen);
        let is_deleted = !is_signed && !holds && !is_unseen;
        let is_shown = any(shown, id)?;
        if !is_signed && is_unseen {
            happens(Effect::KeptAgainstDelete);
        }
        if is_deleted == is_shown {
            return Err(format!("the {entity} {id} was deleted: {is_deleted}; it is shown: {is_shown}"));
        }
    }
    Ok(model.contradicting)
}

/// Each finding that an issue should follow has one, and no two issues have one number. Where an item was amended before
/// its finding arrived there may be none.
fn office_follows(hub: &Connection) -> Verdict {
    let told = |error: rusqlite::Error| format!("the oracle cannot read the hub: {error}");
    let none = |sql: &str, why: &str| {
        let found: Option<String> = hub.query_row(sql, [], |row| row.get(0)).optional().map_err(told)?;
        found.map_or(Ok(()), |found| Err(format!("{why} {found}")))
    };
    none("SELECT hex(id) FROM finding WHERE live = 1 AND trim(record ->> 'words') <> '' AND record ->> 'severity' <> ''
              AND NOT EXISTS (SELECT 1 FROM issue WHERE issue.finding = finding.id)
              AND NOT EXISTS (SELECT 1 FROM op WHERE op.id = finding.check_id AND kind = 'amend')", "no issue follows the finding")?;
    none(
        "SELECT hex(id) FROM member WHERE field = 'timeline' AND side -> 'value' ->> 'step' IS NULL
              GROUP BY id HAVING count(*) > 1",
        "twice was opened the issue",
    )?;
    // Which step was the last no stamp tells for sure: the hub's own clock may have jumped back.
    none(
        "SELECT hex(id) FROM issue WHERE record ->> 'status' NOT IN (
                  SELECT side -> 'value' ->> 'to' FROM member WHERE id = issue.id AND field = 'timeline')",
        "no step tells the state of the issue",
    )?;
    none(
        "SELECT hex(issue.id) FROM issue JOIN finding ON finding.id = issue.finding WHERE live = 1
              AND trim(finding.record ->> 'words') <> '' AND finding.record ->> 'severity' <> ''
              AND (issue.record ->> 'words' <> finding.record ->> 'words'
                  OR issue.record ->> 'severity' <> finding.record ->> 'severity')",
        "the finding says something else than the issue",
    )?;
    none(
        "SELECT hex(min(id)) FROM issue GROUP BY scope, number HAVING count(*) > 1",
        "two issues have one number, one of them",
    )
}

impl Model {
    fn take(&mut self, received: i64, op: &Value, office: Uuid) {
        let (id, op_id) = (uuid(&op["id"]), uuid(&op["op_id"]));
        let (kind, field) = (op["kind"].as_str().unwrap_or_default(), op["field"].as_str());
        let saw = || op["value"]["saw"].as_array().into_iter().flatten().map(uuid);
        let record = self.records.entry(id).or_default();
        op["entity"].as_str().unwrap_or_default().clone_into(&mut record.entity);
        if kind == "delete" {
            record.deleted = true;
            record.seen.extend(saw());
            return;
        }
        record.changes.insert(op_id);
        let latest = u64::try_from(received + AHEAD).unwrap_or(0) << 16;
        let stamp =
            op["hlc"].as_str().and_then(|hlc| u64::from_str_radix(hlc, 16).ok()).unwrap_or(0).min(latest);
        let (device, base) = (uuid(&op["device"]), op["base_rev"].as_str().map(uuid_of));
        let by_office = device == office;
        let mut write = |field: &str, value: &Value, replaced: Vec<Uuid>| {
            let known = self.fields.entry((id, field.to_owned())).or_default();
            if kind == "set"
                && field.starts_with("answer:")
                && known.written.values().any(|other| other.device != device && other.base == base)
            {
                happens(Effect::SameAnswer);
            }
            known.written.insert(op_id, Written { value: value.clone(), device, base, stamp, by_office });
            known.replaced.extend(replaced);
        };
        match (kind, field) {
            ("set", Some(field)) => write(field, &op["value"], base.into_iter().collect()),
            ("set", None) => op["value"]
                .as_object()
                .into_iter()
                .flatten()
                .for_each(|(field, value)| write(field, value, base.into_iter().collect())),
            ("resolve", Some(field)) => write(field, &op["value"]["value"], saw().collect()),
            ("add", Some(field)) => {
                self.added.entry((id, field.to_owned())).or_default().insert(op_id);
            }
            ("remove", Some(field)) => {
                self.removed.entry((id, field.to_owned())).or_default().extend(saw());
            }
            ("seal", _) => self.sign(&op["value"]),
            _ => {}
        }
    }

    fn sign(&mut self, jws: &Value) {
        let payload = BASE64URL.decode(jws["payload"].as_str().unwrap_or_default()).unwrap_or_default();
        let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
        self.signed_records.insert(uuid(&payload["round"]));
        for part in ["checks", "findings"] {
            for one in payload[part].as_array().into_iter().flatten() {
                for (field, rev) in one["revs"].as_object().into_iter().flatten() {
                    let first = self.signed.entry((uuid(&one["id"]), field.clone()));
                    // To which item a finding belongs follows from its id, whichever operation wrote it.
                    let says_the_same = part == "findings" && matches!(field.as_str(), "check" | "item");
                    if *first.or_insert_with(|| uuid(rev)) != uuid(rev) && !says_the_same {
                        self.contradicting.insert(uuid(&payload["sign_off"]));
                    }
                }
                let settled = || one["settled"].as_object().into_iter().flatten();
                // A finding that does not stand any more is signed with its photos.
                self.signed_records.extend(settled().map(|(finding, _)| uuid_of(finding)));
                let photos = settled()
                    .map(|(_, photos)| photos)
                    .chain([&one["photos"]])
                    .filter_map(Value::as_array)
                    .flatten();
                let photos: BTreeSet<Uuid> = photos.map(uuid).collect();
                if !photos.is_empty() || one["revs"].as_object().is_some_and(|revs| !revs.is_empty()) {
                    self.signed_records.insert(uuid(&one["id"]));
                }
                self.signed_photos.extend(photos);
            }
        }
    }
}

impl Field {
    /// Every value that nobody has replaced, and what was signed; the one that is shown stands first.
    fn sides(&self, field: &str, signed: Option<Uuid>) -> Vec<Uuid> {
        let stands = |op: &&Uuid| signed == Some(**op) || !self.replaced.contains(*op);
        let mut sides: Vec<Uuid> = self.written.keys().filter(stands).copied().collect();
        sides.sort_by_key(|op| {
            let Written { value, stamp, by_office, .. } = &self.written[op];
            std::cmp::Reverse((signed == Some(*op), worst(field, value, *by_office), *stamp, *op))
        });
        sides
    }
}

/// How much a value goes before others: the worse answer, the higher severity, the office's word.
fn worst(field: &str, value: &Value, by_office: bool) -> usize {
    let place = |all: [&str; 3], value: &Value| all.iter().position(|one| value == one).unwrap_or(0);
    match field {
        "severity" => place(["minor", "serious", "critical"], value),
        "status" | "unit" | "person" | "deadline" | "solution" => usize::from(by_office),
        _ if field.starts_with("answer:") => place(["pass", "not-applicable", "fail"], &value["outcome"]),
        _ => 0,
    }
}

/// The hub's log: when it received each operation, and the operation.
fn log(hub: &Connection) -> rusqlite::Result<Vec<(i64, Value)>> {
    let mut rows = hub.prepare("SELECT received, body FROM op ORDER BY received, op_id")?;
    let bodies: Vec<(i64, String)> =
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(bodies.iter().filter_map(|(at, body)| Some((*at, serde_json::from_str(body).ok()?))).collect())
}

fn uuid(value: &Value) -> Uuid {
    uuid_of(value.as_str().unwrap_or_default())
}

fn uuid_of(text: &str) -> Uuid {
    text.parse().unwrap_or_default()
}
