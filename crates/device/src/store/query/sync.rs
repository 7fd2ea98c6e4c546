//! What waits for the office, for the person who asks.

use super::evidence::evidence_view;
use crate::store::fault::StoreError;
use crate::store::{chain, log};
use rusqlite::Connection;
use serde::Deserialize;
use standpipe_domain::evidence::{Evidence, EvidenceView};
use standpipe_domain::ids::Millis;
use standpipe_domain::sync::{SetAside, SyncDetail, SyncLine};

/// The most photos that are listed; the line counts them all.
const LISTED: u32 = 100;

/// Everything behind the line about synchronisation.
pub fn sync_detail(conn: &Connection, line: SyncLine, hub: Option<String>) -> Result<SyncDetail, StoreError> {
    let mut set_aside = records_set_aside(conn)?;
    set_aside.extend(photos_set_aside(conn)?);
    set_aside.sort_by_key(|one| std::cmp::Reverse(one.at));
    Ok(SyncDetail {
        line,
        hub,
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
            what: name.unwrap_or_default(),
            code: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            detail: String::new(),
            at: Millis(row.get(2)?),
        });
    }
    Ok(all)
}

fn records_set_aside(conn: &Connection) -> Result<Vec<SetAside>, StoreError> {
    let all = conn
        .prepare_cached("SELECT entity, field, code, detail, at FROM set_aside LEFT JOIN op USING (op_id)")?
        .query_map([], |row| {
            let names = [row.get::<_, Option<String>>(0)?, row.get(1)?];
            Ok(SetAside {
                what: names.into_iter().flatten().collect::<Vec<_>>().join(" "),
                code: row.get(2)?,
                detail: row.get(3)?,
                at: Millis(row.get(4)?),
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(all)
}
