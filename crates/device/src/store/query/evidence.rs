//! Evidence as the records hold it, and as the screens show it.

use crate::store::fault::StoreError;
use crate::store::seen::{IS_GONE, SEEN};
use crate::store::sql::Hash;
use crate::store::{log, replica};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Deserialize;
use standpipe_domain::evidence::{Evidence, EvidenceView, Preview, Whereabouts};
use standpipe_domain::ids::{CheckId, PersonId};
use standpipe_domain::record::{entity, set};
use standpipe_oplog::merge::Side;
use uuid::Uuid;

/// One piece of evidence, and the record that holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub entity: &'static str,
    pub record: Uuid,
    /// The operation that added it.
    pub rev: Uuid,
    /// Who added it.
    pub actor: PersonId,
    pub evidence: Evidence,
}

impl Held {
    /// The item that it belongs to.
    pub fn item(&self) -> Option<&str> {
        self.evidence.item.as_deref()
    }
}

/// The evidence of a check and of its findings, oldest first. Each item's photos are found under the item, whether
/// they came in before or after it had failed.
pub fn evidence_of(conn: &Connection, check: CheckId) -> Result<Vec<Held>, StoreError> {
    let mut all = members_of(conn, entity::CHECK, check.0, set::PHOTOS)?;
    let findings: Vec<(Uuid, String)> = conn
        .prepare_cached("SELECT id, item FROM finding WHERE check_id = ?1 ORDER BY item")?
        .query_map([check.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (finding, item) in findings {
        for mut held in members_of(conn, entity::FINDING, finding, set::PHOTOS)? {
            held.evidence.item = Some(item.clone());
            all.push(held);
        }
    }
    Ok(all)
}

/// The evidence in one field of one record, oldest first.
pub fn members_of(
    conn: &Connection,
    entity: &'static str,
    record: Uuid,
    field: &str,
) -> Result<Vec<Held>, StoreError> {
    let held = |side: Side| {
        let evidence = Evidence::deserialize(&side.value).ok()?;
        Some(Held { entity, record, rev: side.rev, actor: side.actor, evidence })
    };
    Ok(replica::members(conn, record, field)?.into_iter().filter_map(held).collect())
}

/// The evidence of an `add`.
pub fn evidence_in(body: &str) -> Option<Evidence> {
    Evidence::deserialize(&log::parse(body, None).ok()?.value).ok()
}

/// Evidence of a record as a screen shows it: where it is elsewhere, with who took it.
pub fn held_view(conn: &Connection, held: &Held) -> Result<EvidenceView, StoreError> {
    let mut view = evidence_view(conn, held.evidence.clone())?;
    if let Whereabouts::Elsewhere { by, .. } = &mut view.whereabouts {
        *by = conn
            .prepare_cached("SELECT name FROM person WHERE id = ?1")?
            .query_row([held.actor.0], |row| row.get(0))
            .optional()?;
    }
    Ok(view)
}

/// Evidence as a screen shows it: whether there is a picture, and where the bytes are.
pub fn evidence_view(conn: &Connection, evidence: Evidence) -> Result<EvidenceView, StoreError> {
    let found = conn
        .prepare_cached(&format!(
            "SELECT here, preview, preview_code, state, sent, upload.bytes, code, at_office,
                 {IS_GONE} AND of IN {SEEN} FROM blob
             LEFT JOIN upload ON of = blob.sha256 AND role = 'original' WHERE blob.sha256 = ?1",
        ))?
        .query_row([Hash(evidence.sha256)], |row| Ok((preview(row)?, whereabouts(row)?)))
        .optional()?;
    let (preview, whereabouts) =
        found.unwrap_or((Preview::Pending, Whereabouts::Elsewhere { at_office: None, by: None }));
    Ok(EvidenceView { evidence, preview, whereabouts })
}

fn preview(row: &Row<'_>) -> rusqlite::Result<Preview> {
    Ok(match row.get_ref(1)?.as_str()? {
        "ready" => Preview::Ready,
        "clip" => Preview::Clip,
        "none" => Preview::None { code: row.get::<_, Option<String>>(2)?.unwrap_or_default() },
        _ => Preview::Pending,
    })
}

fn whereabouts(row: &Row<'_>) -> rusqlite::Result<Whereabouts> {
    let state: Option<String> = row.get(3)?;
    Ok(match (row.get::<_, bool>(0)?, state.as_deref()) {
        (true, Some("verified")) => Whereabouts::SafeAtOffice,
        // It was lost here since, and can be fetched.
        (false, Some("verified")) => Whereabouts::Elsewhere { at_office: Some(true), by: None },
        // Without ever having waited to go up it came from there.
        (true, None) if row.get::<_, Option<bool>>(7)? == Some(true) => Whereabouts::SafeAtOffice,
        (true, None) => Whereabouts::SafeHere,
        (_, Some("set-aside")) if row.get::<_, Option<bool>>(8)? == Some(true) => Whereabouts::Lost,
        (_, Some("set-aside")) => {
            Whereabouts::NeedsAttention { code: row.get::<_, Option<String>>(6)?.unwrap_or_default() }
        }
        // The office has lost it too, or may have: it goes up should it come back.
        (false, Some(_)) => Whereabouts::Elsewhere { at_office: None, by: None },
        (true, Some(_)) => match (row.get::<_, u64>(4)?, row.get::<_, u64>(5)?) {
            (0, _) | (_, 0) => Whereabouts::SafeHere,
            (sent, bytes) => Whereabouts::Sending { percent: percent(sent, bytes) },
        },
        (false, None) => Whereabouts::Elsewhere { at_office: row.get(7)?, by: None },
    })
}

// A hundred is said only once the hub has verified its copy.
fn percent(sent: u64, bytes: u64) -> u8 {
    u8::try_from(sent.saturating_mul(100) / bytes.max(1)).unwrap_or(99).min(99)
}
