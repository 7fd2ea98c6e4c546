//! What stands in the databases of both ends.

use anyhow::{Context, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What a replica shows of a field: each side's operation, the shown one first.
pub type Fields = BTreeMap<(Uuid, String), Vec<Uuid>>;

/// The hub's database, to read.
pub fn database(hub: &Path) -> Result<Connection> {
    open(&hub.join("hub.db"))
}

/// A tablet's database, to read.
pub fn tablet_database(tablet: &Path) -> Result<Connection> {
    open(&tablet.join(standpipe_device::store::FILE))
}

fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    connection.with_context(|| format!("opening {}", path.display()))
}

/// The hub's last number, and the sum up to it as its bits.
pub fn head(hub: &Connection) -> rusqlite::Result<(u64, i64)> {
    let last = "SELECT seq, checksum FROM op ORDER BY seq DESC LIMIT 1";
    hub.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Where the hub keeps a photo's bytes.
pub fn shelf(hub: &Path, sha256: &str) -> PathBuf {
    hub.join("blobs").join(&sha256[..2]).join(&sha256[2..])
}

/// Every operation in the log of either end.
pub fn ops(database: &Connection) -> rusqlite::Result<BTreeSet<Uuid>> {
    database.prepare("SELECT op_id FROM op")?.query_map([], |row| row.get(0))?.collect()
}

/// What the hub has set aside, with the codes.
pub fn quarantine(hub: &Connection) -> rusqlite::Result<BTreeMap<Uuid, String>> {
    hub.prepare("SELECT op_id, code FROM quarantine WHERE op_id IS NOT NULL")?.query_map([], pair)?.collect()
}

/// What a tablet knows to be set aside, with the codes.
pub fn set_aside(tablet: &Connection) -> rusqlite::Result<BTreeMap<Uuid, String>> {
    tablet.prepare("SELECT op_id, code FROM set_aside")?.query_map([], pair)?.collect()
}

/// The fields as the hub shows them.
pub fn office_fields(hub: &Connection) -> Result<Fields> {
    let mut rows = hub.prepare("SELECT id, field, sides FROM register")?;
    let rows = rows.query_map([], |row| Ok((pair(row)?, row.get::<_, String>(2)?)))?;
    rows.map(|row| row.map_err(Into::into).and_then(|(field, sides)| Ok((field, revs(&sides)?)))).collect()
}

/// The fields as a tablet shows them.
pub fn tablet_fields(tablet: &Connection) -> Result<Fields> {
    let mut rows = tablet.prepare("SELECT id, field, rev, sides FROM reg")?;
    let rows = rows.query_map([], |row| Ok((pair(row)?, row.get(2)?, row.get::<_, Option<String>>(3)?)))?;
    let sides = |(field, rev, sides): (_, _, Option<String>)| {
        Ok((field, sides.map_or_else(|| Ok(vec![rev]), |sides| revs(&sides))?))
    };
    rows.map(|row| row.map_err(Into::into).and_then(sides)).collect()
}

/// The members of fields that hold several; of either end.
pub fn members(database: &Connection) -> rusqlite::Result<Fields> {
    let mut rows = database.prepare("SELECT id, field, rev FROM member ORDER BY id, field, hlc, rev")?;
    let mut fields = Fields::new();
    for row in rows.query_map([], |row| Ok((pair(row)?, row.get(2)?)))? {
        let (field, rev) = row?;
        fields.entry(field).or_default().push(rev);
    }
    Ok(fields)
}

/// Number and status of each issue; of either end.
pub fn issues(database: &Connection) -> rusqlite::Result<BTreeMap<Uuid, (u64, String)>> {
    database
        .prepare("SELECT id, number, status FROM issue")?
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect()
}

/// Every row of a tablet's tables that screens show, as text. The order in which assets came is each tablet's own.
pub fn shown(tablet: &Connection) -> rusqlite::Result<Vec<String>> {
    const ASSET: &str = "id, kind, place, name_zh, name_en, tag, facts";
    const TABLES: [(&str, &str); 13] = [
        ("reg", "*"),
        ("member", "*"),
        ("pin", "*"),
        ("site", "*"),
        ("place", "*"),
        ("asset", ASSET),
        ("unit", "*"),
        ("person", "*"),
        ("round", "*"),
        ("stop", "*"),
        ("finding", "*"),
        ("issue", "*"),
        ("sign_off", "*"),
    ];
    let mut shown = Vec::new();
    for (table, columns) in TABLES {
        let mut statement = tablet.prepare(&format!("SELECT {columns} FROM {table} ORDER BY 1, 2, 3"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let cells: rusqlite::Result<Vec<_>> =
                (0..columns).map(|column| Ok(text(row.get_ref(column)?))).collect();
            shown.push(format!("{table}: {}", cells?.join(" ")));
        }
    }
    Ok(shown)
}

fn text(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => "-".into(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => hex::encode(bytes),
    }
}

fn pair<B: rusqlite::types::FromSql>(row: &Row<'_>) -> rusqlite::Result<(Uuid, B)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn revs(sides: &str) -> Result<Vec<Uuid>> {
    let sides: Vec<Value> = serde_json::from_str(sides)?;
    sides.iter().map(|side| Ok(side["rev"].as_str().context("a side has its operation")?.parse()?)).collect()
}
