//! What was signed: the same bytes for ever, wherever a signature is, and shown as they were signed.

use super::Verdict;
use crate::effects::{Effect, happens};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use uuid::Uuid;

/// A field of a record.
type Place = (Uuid, String);

/// Whose database is looked at: a tablet's, or the hub's, of which is known which operations are signatures.
pub(super) enum Replica<'a> {
    Tablet(usize),
    Hub(&'a BTreeSet<Uuid>),
}

impl fmt::Display for Replica<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tablet(number) => write!(f, "tablet {number}"),
            Self::Hub(_) => f.write_str("the hub"),
        }
    }
}

/// All that was ever signed.
#[derive(Default)]
pub(super) struct Signed {
    /// By the operations that brought the signatures.
    seals: BTreeMap<Uuid, Seal>,
    /// What stood in a field, by the operation that was signed there, as it was first seen.
    values: BTreeMap<(Place, Uuid), Value>,
    /// Which operation the hub counts as signed in a field.
    at_hub: BTreeMap<Place, Uuid>,
}

/// A signature, as it was first seen.
struct Seal {
    jws: String,
    /// Its place in the chain of a tablet that was to send it: device, incarnation and number.
    place: Option<String>,
    /// The operation behind each field, and what the payload says of the field.
    fields: BTreeMap<Place, (Uuid, Value)>,
    /// The records of photos, and the operations that added them.
    photos: BTreeSet<(Uuid, Uuid)>,
}

/// A signature as a replica holds it.
struct Held {
    op: Uuid,
    jws: String,
    /// Its place in the chain of the tablet, where that is to send it.
    place: Option<String>,
    /// The hub has received it, as far as the replica knows, and nobody has set it aside.
    is_received: bool,
    counts: bool,
}

impl Signed {
    /// The hub was put back to an old state: what it takes first from now on counts there.
    pub(super) fn hub_was_restored(&mut self) {
        self.at_hub.clear();
    }

    /// Looks at everything of a replica that was signed. Where the hub was never put back to an old state, all signatures
    /// say the same.
    pub(super) fn look(
        &mut self,
        conn: &Connection,
        at: &Replica<'_>,
        was_restored: bool,
    ) -> rusqlite::Result<Verdict> {
        let held = match at {
            Replica::Tablet(_) => of_tablet(conn)?,
            Replica::Hub(known) => match of_hub(conn, known)? {
                Ok(held) => held,
                Err(why) => return Ok(Err(why)),
            },
        };
        let mut signed: BTreeMap<&Place, (Uuid, &Value, bool)> = BTreeMap::new();
        let mut photos = BTreeSet::new();
        for Held { op, jws, place, .. } in &held {
            let seal = self.seals.entry(*op).or_insert_with(|| Seal::read(jws));
            if seal.jws != *jws {
                return Ok(Err(format!(
                    "{at} holds the signature {op} with other bytes than it had at first"
                )));
            }
            if let Some(place) = place
                && seal.place.get_or_insert_with(|| place.clone()) != place
            {
                happens(Effect::SignatureNumberedAnew);
            }
        }
        // The first one to be received holds.
        for Held { op, is_received, .. } in held.iter().filter(|held| held.counts) {
            let Some(seal) = self.seals.get(op) else { continue };
            for (place, (rev, value)) in &seal.fields {
                signed.entry(place).or_insert((*rev, value, *is_received));
            }
            photos.extend(&seal.photos);
        }
        let ids: BTreeSet<Uuid> =
            signed.keys().map(|(id, _)| *id).chain(photos.iter().map(|(id, _)| *id)).collect();
        let mut shown = BTreeMap::new();
        let mut members = BTreeSet::new();
        for id in ids {
            at.fields(conn, id, &mut shown)?;
            let sql = "SELECT rev FROM member WHERE id = ?1 AND field = 'photos'";
            for rev in conn.prepare_cached(sql)?.query_map([id], |row| row.get(0))? {
                members.insert((id, rev?));
            }
        }
        for (place, (rev, value, is_received)) in signed {
            let (first, is_hub) = (self.at_hub.get(place), matches!(at, Replica::Hub(_)));
            if is_received && !was_restored && first.is_some_and(|first| first != &rev) {
                return Ok(Err(format!("{at} takes {rev} for signed in {place:?}; it was {first:?}")));
            }
            match shown.get(place) {
                Some((found, text)) if *found == rev => {
                    let found: Value = serde_json::from_str(text).unwrap_or_default();
                    let known = self.values.entry((place.clone(), rev)).or_insert_with(|| found.clone());
                    if *known != found || !value.is_null() && *value != found {
                        return Ok(Err(format!("{at} shows {found} in {place:?}; {value} was signed")));
                    }
                }
                found if at.has(conn, rev)? => {
                    return Ok(Err(format!("{at} shows {found:?} in {place:?}; {rev} was signed")));
                }
                // It came before what it covers.
                _ => {}
            }
            if is_hub {
                self.at_hub.insert(place.clone(), rev);
            }
        }
        for (id, rev) in photos.difference(&members) {
            if at.has(conn, *rev)? {
                return Ok(Err(format!("{at} does not show the photo {rev} of {id}, which was signed")));
            }
        }
        Ok(Ok(()))
    }
}

impl Seal {
    fn read(jws: &str) -> Self {
        let value: Value = serde_json::from_str(jws).unwrap_or_default();
        let payload = BASE64URL.decode(value["payload"].as_str().unwrap_or_default()).unwrap_or_default();
        let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
        let (mut fields, mut photos) = (BTreeMap::new(), BTreeSet::new());
        for part in ["checks", "findings"] {
            for one in payload[part].as_array().into_iter().flatten() {
                let id = uuid(&one["id"]);
                for (field, rev) in one["revs"].as_object().into_iter().flatten() {
                    let value = match field.strip_prefix("answer:") {
                        Some(item) => &one["answers"][item],
                        None if field == "round" => &payload["round"],
                        None => &one[field],
                    };
                    fields.insert((id, field.clone()), (uuid(rev), value.clone()));
                }
                let settled = one["settled"].as_object().into_iter().flatten();
                let settled = settled.map(|(finding, photos)| (finding.parse().unwrap_or_default(), photos));
                for (id, all) in settled.chain([(id, &one["photos"])]) {
                    photos.extend(all.as_array().into_iter().flatten().map(|rev| (id, uuid(rev))));
                }
            }
        }
        Self { jws: jws.to_owned(), place: None, fields, photos }
    }
}

impl Replica<'_> {
    /// What is shown in each field of a record: the operation, and the value as JSON.
    fn fields(
        &self,
        conn: &Connection,
        id: Uuid,
        shown: &mut BTreeMap<Place, (Uuid, String)>,
    ) -> rusqlite::Result<()> {
        let sql = match self {
            Self::Tablet(_) => "SELECT field, rev, value FROM reg WHERE id = ?1",
            Self::Hub(_) => {
                "SELECT field, unhex(sides ->> '$[0].rev', '-'), sides -> '$[0].value' FROM register WHERE id = ?1"
            }
        };
        let mut rows = conn.prepare_cached(sql)?;
        for row in rows.query_map([id], |row| Ok(((id, row.get(0)?), (row.get(1)?, row.get(2)?))))? {
            let (place, side) = row?;
            shown.insert(place, side);
        }
        Ok(())
    }

    /// Whether an operation is held, and counts.
    fn has(&self, conn: &Connection, op: Uuid) -> rusqlite::Result<bool> {
        let sql = match self {
            Self::Tablet(_) => {
                "SELECT 1 FROM op WHERE op_id = ?1 AND op_id NOT IN (SELECT op_id FROM set_aside)"
            }
            Self::Hub(_) => "SELECT 1 FROM op WHERE op_id = ?1",
        };
        conn.prepare_cached(sql)?.exists([op])
    }
}

/// The signatures on a tablet, those that the hub received first at the front.
fn of_tablet(conn: &Connection) -> rusqlite::Result<Vec<Held>> {
    conn.prepare_cached(
        "SELECT op_id, body -> '$.value', hub_at IS NOT NULL, op_id NOT IN (SELECT op_id FROM set_aside),
             (body ->> 'device') || ' ' || incarnation || ' ' || dev_seq FROM op
         WHERE kind NOT IN ('set', 'add') AND kind = 'seal' ORDER BY hub_at IS NULL, hub_at, op_id",
    )?
    .query_map([], |row| {
        let (op, jws, is_received, counts) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(Held { op, jws, place: row.get(4)?, is_received, counts })
    })?
    .collect()
}

/// The signatures at the hub, the first to be received at the front. Each is there, and what is shown of it is what came.
fn of_hub(conn: &Connection, known: &BTreeSet<Uuid>) -> rusqlite::Result<Result<Vec<Held>, String>> {
    let mut held = Vec::new();
    for op in known {
        let row: Option<(i64, String, Option<String>)> = conn
            .prepare_cached(
                "SELECT received, body -> '$.value', jws FROM op LEFT JOIN sign_off ON sign_off.id = op.id
                 WHERE op_id = ?1",
            )?
            .query_row([op], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((at, jws, shown)) = row else { return Ok(Err(format!("the hub lost the signature {op}"))) };
        // The second signature there is the hub's own.
        if let Some(shown) = shown
            && !is_same(&jws, &shown)
        {
            return Ok(Err(format!("the hub shows the signature {op} with other bytes than it took")));
        }
        held.push((at, *op, jws));
    }
    held.sort();
    let held =
        held.into_iter().map(|(_, op, jws)| Held { op, jws, place: None, is_received: true, counts: true });
    Ok(Ok(held.collect()))
}

/// Whether two JWS say the same, signed by the same tablet.
fn is_same(one: &str, other: &str) -> bool {
    let parts = |jws: &str| {
        let jws: Value = serde_json::from_str(jws).unwrap_or_default();
        (jws["payload"].clone(), jws["signatures"][0].clone())
    };
    parts(one) == parts(other)
}

fn uuid(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}
