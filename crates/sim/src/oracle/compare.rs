//! After the last fault: nothing waits, every replica holds the same and shows the same, and each photo is whole.

use super::aside::{Aside, of_hub};
use super::{Oracle, Verdict, database, read, shelf};
use crate::estate::ROUND;
use crate::stage::Stage;
use crate::tracker::Outside;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;
use standpipe_bridge::Filing;
use standpipe_device::store::Store;
use standpipe_domain::ids::{IssueId, Sha256};
use standpipe_domain::sync::Trouble;
use standpipe_oplog::chain::sha256;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Each issue is in the tracker outside as the hub says, and nothing else is.
fn outside(hub: &Connection, there: &Outside, was_restored: bool) -> Verdict {
    let told = |error: rusqlite::Error| format!("the oracle cannot read the hub: {error}");
    let known = |row: &Row<'_>| {
        let number: Option<u64> = row.get(2)?;
        let filing = match (row.get::<_, Option<String>>(1)?.as_deref(), number) {
            (Some("filed"), Some(number)) => Filing::Filed(number),
            (Some("gone"), Some(number)) => Filing::Gone(number),
            (Some("sent"), _) => Filing::Sent,
            (Some("refused"), _) => Filing::Refused(row.get(3)?),
            _ => Filing::Waits,
        };
        Ok((IssueId(row.get(0)?), filing))
    };
    let known: BTreeMap<IssueId, Filing> = hub
        .prepare("SELECT i.id, f.state, f.number, f.said FROM issue i LEFT JOIN filing f ON f.issue = i.id")
        .and_then(|mut rows| rows.query_map([], known)?.collect())
        .map_err(told)?;
    there.agrees(&known)?;
    match there.marks().iter().find(|issue| !was_restored && !known.contains_key(issue)) {
        Some(issue) => Err(format!("the issue {issue} is outside, and the hub has none")),
        None => Ok(()),
    }
}

/// What a replica shows of a field: each side's operation and value, the shown one first.
type Fields = BTreeMap<(Uuid, String), Vec<(Uuid, Value)>>;

/// What a log says: the body of each operation that has a number, and when the hub received it. Two logs that hold the same
/// up to a number may number it in another order, where a hub was restored in between.
type Log = BTreeMap<Uuid, (String, i64)>;

impl Oracle {
    pub fn compare(stage: &Stage) -> Verdict {
        let oracle = &stage.oracle;
        if !stage.hub.is_running() {
            return Err("the hub does not come up again".into());
        }
        let hub = database(&stage.hub)?;
        let told = |error: rusqlite::Error| format!("the oracle cannot read the hub: {error}");
        let expected = office_fields(&hub).map_err(told)?;
        let members = office_members(&hub).map_err(told)?;
        let contradicting = super::model::agrees(&hub)?;
        if !contradicting.is_empty() && !oracle.was_restored {
            return Err(format!("the hub took signatures that contradict others: {contradicting:?}"));
        }
        let log = numbered(&hub, "SELECT op_id, body, received FROM op").map_err(told)?;
        for op in oracle.ops.keys() {
            if !oracle.hub.ops.contains(op) && !oracle.hub.quarantine.contains(op) {
                return Err(format!("the operation {op} never came to the hub"));
            }
        }
        let aside = of_hub(&hub).map_err(told)?;
        Self::knows_why_still(&aside)?;
        for (photo, (bytes, _)) in &oracle.photos {
            match std::fs::read(shelf(&stage.hub.folder, *photo)) {
                Ok(found) if sha256(&found) == *photo => {}
                Ok(found) => {
                    return Err(format!("the photo {photo} has {} of {bytes} bytes at the hub", found.len()));
                }
                Err(_) => return Err(format!("the photo {photo} never came to the hub")),
            }
        }
        outside(&hub, &stage.outside, oracle.was_restored)?;
        for tablet in &stage.tablets {
            let number = tablet.number;
            let (Some(engine), Some(handle)) = (tablet.engine(), tablet.handle()) else {
                return Err(format!("tablet {number} does not come up again"));
            };
            let marked = read(engine.store(), marked)?;
            if let Some((op, Aside { code, .. })) = aside.iter().find(|(op, _)| marked.contains(*op)) {
                return Err(format!(
                    "the hub set the operation {op} aside as {code}; tablet {number} knows that it had taken it"
                ));
            }
            let line = handle.line();
            if line.records > 0 || line.photos > 0 {
                return Err(format!("tablet {number} is not done: {line:?}"));
            }
            if line.trouble.as_ref().is_some_and(Trouble::must_join) {
                let device = engine.store().identity().ok().flatten().map(|identity| identity.device);
                if device.is_none_or(|device| !oracle.revoked.contains(&device)) {
                    return Err(format!("tablet {number} was never revoked, and says that it was"));
                }
                // What it recorded is at the hub; it is given nothing any more, also no signature that came before its own.
                let reports = engine.verify_seals(ROUND);
                let reports = reports.map_err(|error| format!("tablet {number}'s seals: {error}"))?;
                if let Some(report) = reports.iter().find(|report| !report.genuine) {
                    return Err(format!("tablet {number}, withdrawn: what was signed changed: {report:?}"));
                }
                continue;
            }
            read(engine.store(), |conn| oracle.is_told(number, conn, &line, &aside))??;
            if line.trouble.is_some() {
                return Err(format!("tablet {number} has trouble though all is well: {line:?}"));
            }
            let numbered_here =
                |conn: &_| numbered(conn, "SELECT op_id, body, hub_at FROM op WHERE hub_seq IS NOT NULL");
            let own = read(engine.store(), numbered_here)?;
            if let Some(op) = log.keys().chain(own.keys()).find(|op| log.get(op) != own.get(op)) {
                return Err(format!(
                    "tablet {number} does not hold what the hub does of the operation {op}: {:?}, the hub {:?}",
                    own.get(op),
                    log.get(op)
                ));
            }
            let unnumbered = read(engine.store(), unnumbered)?;
            if let Some((op, _)) =
                unnumbered.iter().find(|(op, is_told)| !is_told || !oracle.hub.quarantine.contains(op))
            {
                return Err(format!("tablet {number} holds the operation {op}; the hub has no place for it"));
            }
            pictures(&hub, number, engine.store())?;
            let shown = read(engine.store(), tablet_fields)?;
            differ(&format!("tablet {number}"), &expected, &shown)?;
            let shown = read(engine.store(), tablet_members)?;
            differ(&format!("tablet {number}'s sets"), &members, &shown)?;
            for (office, here) in [("round", "round"), ("checks", "stop"), ("finding", "finding")] {
                let expected = ids(&hub, office).map_err(told)?;
                let shown = read(engine.store(), |conn| ids(conn, here))?;
                if shown != expected {
                    return Err(format!("tablet {number} shows the {here}s {shown:?}; the hub {expected:?}"));
                }
            }
            let before = read(engine.store(), dump)?;
            engine
                .store()
                .rebuild()
                .map_err(|error| format!("tablet {number} cannot be rebuilt: {error}"))?;
            let after = read(engine.store(), dump)?;
            same_rows(&format!("tablet {number}"), &before, &after)?;
            let reports =
                engine.verify_seals(ROUND).map_err(|error| format!("tablet {number}'s seals: {error}"))?;
            if let Some(report) = reports.iter().find(|report| {
                !report.genuine || report.unchanged == contradicting.contains(&report.sign_off.0)
            }) {
                return Err(format!("tablet {number}: what was signed changed: {report:?}"));
            }
            if let Some(report) = reports.iter().find(|report| report.countersigned.is_none()) {
                return Err(format!("tablet {number}: a seal was never countersigned: {report:?}"));
            }
        }
        let before = dump_of(&hub, &OFFICE_TABLES).map_err(told)?;
        stage.hub.rebuild().map_err(|error| format!("the hub cannot be rebuilt: {error}"))?;
        let hub = database(&stage.hub)?;
        let after = dump_of(&hub, &OFFICE_TABLES).map_err(told)?;
        same_rows("the hub", &before, &after)
    }
}

fn same_rows(who: &str, before: &[String], after: &[String]) -> Verdict {
    let rows = 0..before.len().max(after.len());
    match rows.map(|at| (before.get(at), after.get(at))).find(|(before, after)| before != after) {
        Some((before, after)) => {
            Err(format!("{who}, made again from its log, shows other rows: {before:?} / {after:?}"))
        }
        None => Ok(()),
    }
}

/// Every picture of a colleague that the hub has a small copy of is on the tablet, small.
fn pictures(hub: &Connection, number: usize, store: &Store) -> Verdict {
    let told = |error: rusqlite::Error| format!("the oracle cannot read a picture: {error}");
    let mut pictures = hub
        .prepare("SELECT DISTINCT of FROM thumbnail JOIN member ON member.sha256 = of JOIN blob ON blob.sha256 = thumbnail.sha256")
        .map_err(told)?;
    let pictures: Vec<[u8; 32]> =
        pictures.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(told)?;
    for picture in pictures {
        let sql = "SELECT preview FROM blob WHERE sha256 = ?1";
        let preview: Option<String> =
            read(store, |conn| conn.query_row(sql, [picture], |row| row.get(0)).optional())?;
        if preview.as_deref() != Some("ready") {
            let picture = Sha256(picture);
            return Err(format!("tablet {number} has no picture of {picture}: {preview:?}"));
        }
    }
    Ok(())
}

fn numbered(conn: &Connection, sql: &str) -> rusqlite::Result<Log> {
    let mut rows = conn.prepare(sql)?;
    let row = |row: &Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
    rows.query_map([], row)?.collect()
}

/// What bears the hub's mark on a tablet: the hub had taken it.
fn marked(conn: &Connection) -> rusqlite::Result<BTreeSet<Uuid>> {
    conn.prepare("SELECT op_id FROM receipt")?.query_map([], |row| row.get(0))?.collect()
}

/// What a tablet holds that the hub has not numbered, and whether its screen says so.
fn unnumbered(conn: &Connection) -> rusqlite::Result<Vec<(Uuid, bool)>> {
    let mut rows =
        conn.prepare("SELECT op_id, op_id IN (SELECT op_id FROM set_aside) FROM op WHERE hub_seq IS NULL")?;
    rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The records that have a row.
fn ids(conn: &Connection, table: &str) -> rusqlite::Result<BTreeSet<Uuid>> {
    conn.prepare(&format!("SELECT id FROM {table}"))?.query_map([], |row| row.get(0))?.collect()
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

/// The sides in a row: whose, and what.
pub(super) fn sides(sides: &str) -> Vec<(Uuid, Value)> {
    let sides: Vec<Value> = serde_json::from_str(sides).unwrap_or_default();
    sides
        .iter()
        .filter_map(|side| Some((side["rev"].as_str()?.parse().ok()?, side["value"].clone())))
        .collect()
}

fn office_fields(hub: &Connection) -> rusqlite::Result<Fields> {
    hub.prepare("SELECT id, field, sides FROM register")?
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), sides(&row.get::<_, String>(2)?))))?
        .collect()
}

fn tablet_fields(conn: &Connection) -> rusqlite::Result<Fields> {
    conn.prepare("SELECT id, field, rev, value, sides FROM reg")?
        .query_map([], |row| {
            let all: Option<String> = row.get(4)?;
            let shown = vec![(row.get(2)?, value(&row.get::<_, String>(3)?))];
            Ok(((row.get(0)?, row.get(1)?), all.map_or(shown, |all| sides(&all))))
        })?
        .collect()
}

pub(super) fn office_members(hub: &Connection) -> rusqlite::Result<Fields> {
    collect(hub.prepare("SELECT id, field, rev, side ->> 'value' FROM member ORDER BY id, field, hlc, rev")?)
}

fn tablet_members(conn: &Connection) -> rusqlite::Result<Fields> {
    collect(conn.prepare("SELECT id, field, rev, value FROM member ORDER BY id, field, hlc, rev")?)
}

fn collect(mut rows: rusqlite::Statement<'_>) -> rusqlite::Result<Fields> {
    let mut fields = Fields::new();
    let rows = rows.query_map([], |row| {
        Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, value(&row.get::<_, String>(3)?))))
    })?;
    for row in rows {
        let (field, member) = row?;
        fields.entry(field).or_default().push(member);
    }
    Ok(fields)
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

const TABLET_TABLES: [&str; 12] = [
    "reg", "member", "pin", "round", "stop", "finding", "sign_off", "issue", "asset", "person", "place",
    "unit",
];
const OFFICE_TABLES: [&str; 12] = [
    "register", "member", "pin", "round", "checks", "finding", "sign_off", "issue", "asset", "person",
    "place", "unit",
];

fn dump(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    dump_of(conn, &TABLET_TABLES)
}

/// Every row of the tables that are shown, as text.
fn dump_of(conn: &Connection, tables: &[&str]) -> rusqlite::Result<Vec<String>> {
    let mut rows = Vec::new();
    for table in tables {
        let mut statement = conn.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3"))?;
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
