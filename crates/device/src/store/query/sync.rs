//! What waits for the office, for the person who asks.

use super::aside::set_aside;
use super::evidence::{evidence_in, evidence_view};
use super::subject::{subject, whole};
use crate::store::chain;
use crate::store::choices::choices;
use crate::store::fault::StoreError;
use crate::store::seen::{IS_GONE, SEEN};
use rusqlite::Connection;
use standpipe_domain::evidence::EvidenceView;
use standpipe_domain::sync::{SyncDetail, SyncLine, WaitingRecords};
use uuid::Uuid;

/// The most photos, and the most things with records, that are listed; the line counts them all.
const LISTED: u32 = 100;
/// So many of the photos that the office confirmed last are listed: whoever has just seen one go up finds it again.
const ARRIVALS: u32 = 8;

const ARRIVED: &str = "state = 'verified' ORDER BY upload.at DESC";

/// Everything behind the line about synchronisation.
pub fn sync_detail(conn: &Connection, line: SyncLine, hub: Option<String>) -> Result<SyncDetail, StoreError> {
    let waiting = format!("state <> 'verified' AND NOT ({IS_GONE} AND of IN {SEEN}) ORDER BY upload.op_id");
    let (seen_to, set_aside) = set_aside(conn)?.into_iter().partition(|one| one.seen.is_some());
    Ok(SyncDetail {
        line,
        hub,
        records: records(conn)?,
        photos: photos(conn, &waiting, LISTED)?,
        arrived: photos(conn, ARRIVED, ARRIVALS)?,
        set_aside,
        seen_to,
        choices: choices(conn)?,
        clock_ahead: chain::load(conn)?.and_then(|chain| chain.clock_offset),
    })
}

fn photos(conn: &Connection, of: &str, most: u32) -> Result<Vec<EvidenceView>, StoreError> {
    let sql =
        format!("SELECT body FROM upload JOIN op USING (op_id) WHERE role = 'original' AND {of} LIMIT ?1");
    let bodies: Vec<String> =
        conn.prepare_cached(&sql)?.query_map([most], |row| row.get(0))?.collect::<Result<_, _>>()?;
    bodies.iter().filter_map(|body| evidence_in(body)).map(|evidence| evidence_view(conn, evidence)).collect()
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
