//! What waits for the office, for the person who asks.

use super::evidence::evidence_view;
use super::subject::{question, subject, whole};
use crate::store::fault::StoreError;
use crate::store::{chain, log};
use rusqlite::Connection;
use serde::Deserialize;
use standpipe_domain::evidence::{Evidence, EvidenceView};
use standpipe_domain::ids::{CheckId, Millis};
use standpipe_domain::sync::{SetAside, SyncDetail, SyncLine, WaitingRecords};
use uuid::Uuid;

/// The most photos, and the most things with records, that are listed; the line counts them all.
const LISTED: u32 = 100;

/// Everything behind the line about synchronisation.
pub fn sync_detail(conn: &Connection, line: SyncLine, hub: Option<String>) -> Result<SyncDetail, StoreError> {
    let mut set_aside = records_set_aside(conn)?;
    set_aside.extend(photos_set_aside(conn)?);
    set_aside.sort_by_key(|one| std::cmp::Reverse(one.at));
    Ok(SyncDetail {
        line,
        hub,
        records: records(conn)?,
        photos: photos(conn)?,
        set_aside,
        clock_ahead: chain::load(conn)?.and_then(|chain| chain.clock_offset),
    })
}

/// The evidence of an `add`.
fn evidence_in(body: &str) -> Option<Evidence> {
    Evidence::deserialize(&log::parse(body, None).ok()?.value).ok()
}

fn photos(conn: &Connection) -> Result<Vec<EvidenceView>, StoreError> {
    let bodies: Vec<String> = conn
        .prepare_cached(
            "SELECT body FROM upload JOIN op USING (op_id) WHERE role = 'original' AND state <> 'verified'
             ORDER BY upload.op_id LIMIT ?1",
        )?
        .query_map([LISTED], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    bodies.iter().filter_map(|body| evidence_in(body)).map(|evidence| evidence_view(conn, evidence)).collect()
}

fn photos_set_aside(conn: &Connection) -> Result<Vec<SetAside>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT body, code, at FROM upload JOIN op USING (op_id) WHERE role = 'original' AND state = 'set-aside'",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let name = evidence_in(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)
            .map(|evidence| evidence.name);
        all.push(SetAside {
            photo: Some(name.unwrap_or_default()),
            about: None,
            field: None,
            item: None,
            code: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            detail: String::new(),
            at: Millis(row.get(2)?),
        });
    }
    Ok(all)
}

fn records_set_aside(conn: &Connection) -> Result<Vec<SetAside>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT entity, id, field, code, detail, at FROM set_aside LEFT JOIN op USING (op_id)",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let of = row.get::<_, Option<String>>(0)?.zip(row.get::<_, Option<Uuid>>(1)?);
        let field: Option<String> = row.get(2)?;
        let item = match (&of, &field) {
            (Some((_, id)), Some(field)) => question(conn, CheckId(*id), field)?,
            _ => None,
        };
        all.push(SetAside {
            photo: None,
            about: of.map(|(entity, id)| subject(conn, entity, id)).transpose()?,
            field,
            item,
            code: row.get(3)?,
            detail: row.get(4)?,
            at: Millis(row.get(5)?),
        });
    }
    Ok(all)
}

/// What was not acknowledged, by what it is about. One who looks wants to find a place or a name again, not an operation.
fn records(conn: &Connection) -> Result<Vec<WaitingRecords>, StoreError> {
    let Some(chain) = chain::load(conn)? else { return Ok(Vec::new()) };
    let counted: Vec<(String, Uuid, u32)> = conn
        .prepare_cached(
            "SELECT entity, id, count(*) FROM op WHERE incarnation = ?1 AND dev_seq > ?2
             GROUP BY id ORDER BY min(dev_seq)",
        )?
        .query_map((chain.incarnation, chain.acknowledged), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut wholes: Vec<((String, Uuid), u32)> = Vec::new();
    for (entity, id, count) in counted {
        let whole = whole(conn, entity, id)?;
        if let Some((_, sum)) = wholes.iter_mut().find(|(known, _)| *known == whole) {
            *sum += count;
        } else if wholes.len() < LISTED as usize {
            wholes.push((whole, count));
        }
    }
    let waiting = |((entity, id), count)| Ok(WaitingRecords { about: subject(conn, entity, id)?, count });
    wholes.into_iter().map(waiting).collect()
}
