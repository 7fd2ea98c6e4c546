//! After the last fault: nothing waits, every replica holds the same and shows the same, and each photo is whole.

use super::{Oracle, Verdict, database, read, shelf};
use crate::estate::ROUND;
use crate::stage::Stage;
use rusqlite::Connection;
use serde_json::Value;
use standpipe_domain::sync::{SyncState, Trouble};
use standpipe_oplog::chain::sha256;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a replica shows of a field: each side's operation, the shown one first.
type Fields = BTreeMap<(Uuid, String), Vec<Uuid>>;

impl Oracle {
    pub fn compare(stage: &Stage) -> Verdict {
        let oracle = &stage.oracle;
        if !stage.hub.is_running() {
            return Err("the hub does not come up again".into());
        }
        let hub = database(&stage.hub.folder)?;
        let told = |error: rusqlite::Error| format!("the oracle cannot read the hub: {error}");
        let expected = office_fields(&hub).map_err(told)?;
        let members = office_members(&hub).map_err(told)?;
        super::model::agrees(&hub)?;
        for op in oracle.ops.keys() {
            if !oracle.hub.ops.contains(op) && !oracle.hub.quarantine.contains(op) {
                return Err(format!("the operation {op} never came to the hub"));
            }
        }
        for (photo, (bytes, _)) in &oracle.photos {
            match std::fs::read(shelf(&stage.hub.folder, *photo)) {
                Ok(found) if sha256(&found) == *photo => {}
                Ok(found) => {
                    return Err(format!("the photo {photo} has {} of {bytes} bytes at the hub", found.len()));
                }
                Err(_) => return Err(format!("the photo {photo} never came to the hub")),
            }
        }
        for tablet in &stage.tablets {
            let number = tablet.number;
            let (Some(engine), Some(handle)) = (tablet.engine(), tablet.handle()) else {
                return Err(format!("tablet {number} does not come up again"));
            };
            let line = handle.line();
            if line.records > 0 || line.photos > 0 {
                return Err(format!("tablet {number} is not done: {line:?}"));
            }
            if line.trouble == Some(Trouble::Revoked) {
                // What it recorded is at the hub; it is given nothing any more.
                continue;
            }
            if !matches!(line.state, SyncState::Safe | SyncState::NeedsAttention) || line.trouble.is_some() {
                return Err(format!("tablet {number} has trouble though all is well: {line:?}"));
            }
            let shown = read(engine.store(), tablet_fields)?;
            differ(&format!("tablet {number}"), &expected, &shown)?;
            let shown = read(engine.store(), tablet_members)?;
            differ(&format!("tablet {number}'s sets"), &members, &shown)?;
            let before = read(engine.store(), dump)?;
            engine
                .store()
                .rebuild()
                .map_err(|error| format!("tablet {number} cannot be rebuilt: {error}"))?;
            let after = read(engine.store(), dump)?;
            if let Some((a, b)) = before.iter().zip(&after).find(|(a, b)| a != b) {
                return Err(format!("tablet {number}, made again from its log, shows other rows: {a} / {b}"));
            }
            let reports =
                engine.verify_seals(ROUND).map_err(|error| format!("tablet {number}'s seals: {error}"))?;
            if let Some(report) = reports.iter().find(|report| !report.genuine || !report.unchanged) {
                return Err(format!("tablet {number}: what was signed changed: {report:?}"));
            }
            if let Some(report) = reports.iter().find(|report| report.countersigned.is_none()) {
                return Err(format!("tablet {number}: a seal was never countersigned: {report:?}"));
            }
        }
        Ok(())
    }
}

fn differ(who: &str, expected: &Fields, shown: &Fields) -> Verdict {
    for (field, sides) in expected {
        match shown.get(field) {
            Some(found) if found == sides => {}
            found => return Err(format!("{who} shows {field:?} as {found:?}, the hub as {sides:?}")),
        }
    }
    match shown.iter().find(|(field, _)| !expected.contains_key(*field)) {
        Some((field, sides)) => Err(format!("{who} shows {field:?} as {sides:?}, the hub not at all")),
        None => Ok(()),
    }
}

pub(super) fn revs(sides: &str) -> Vec<Uuid> {
    let sides: Vec<Value> = serde_json::from_str(sides).unwrap_or_default();
    sides.iter().filter_map(|side| side["rev"].as_str()?.parse().ok()).collect()
}

fn office_fields(hub: &Connection) -> rusqlite::Result<Fields> {
    hub.prepare("SELECT id, field, sides FROM register")?
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), revs(&row.get::<_, String>(2)?))))?
        .collect()
}

fn tablet_fields(conn: &Connection) -> rusqlite::Result<Fields> {
    conn.prepare("SELECT id, field, rev, sides FROM reg")?
        .query_map([], |row| {
            let sides: Option<String> = row.get(3)?;
            let own = || row.get(2).map(|rev| vec![rev]);
            Ok(((row.get(0)?, row.get(1)?), sides.map_or_else(own, |sides| Ok(revs(&sides)))?))
        })?
        .collect()
}

fn office_members(hub: &Connection) -> rusqlite::Result<Fields> {
    collect(hub.prepare("SELECT id, field, rev FROM member ORDER BY id, field, hlc, rev")?)
}

fn tablet_members(conn: &Connection) -> rusqlite::Result<Fields> {
    collect(conn.prepare("SELECT id, field, rev FROM member ORDER BY id, field, hlc, rev")?)
}

fn collect(mut rows: rusqlite::Statement<'_>) -> rusqlite::Result<Fields> {
    let mut fields = Fields::new();
    let rows = rows.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    for row in rows {
        let (field, rev) = row?;
        fields.entry(field).or_default().push(rev);
    }
    Ok(fields)
}

/// Every row of the tables that are shown, as text.
fn dump(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut rows = Vec::new();
    for table in ["reg", "member", "pin", "round", "stop", "finding", "sign_off", "issue", "asset"] {
        let mut statement = conn.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
        let columns = statement.column_count();
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let cells: rusqlite::Result<Vec<_>> =
                (0..columns).map(|column| Ok(format!("{:?}", row.get_ref(column)?))).collect();
            rows.push(format!("{table}: {}", cells?.join(" ")));
        }
    }
    Ok(rows)
}
