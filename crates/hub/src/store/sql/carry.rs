//! Everything from one database into another of whichever kind, and whether both hold the same.

use super::{Bind, Kind, Row, Sql, SqlError, Value, bind};
use crate::store::{Doing, StoreError};
use standpipe_domain::ids::Millis;
use standpipe_oplog::checksum::Checksum;
use uuid::Uuid;

const CARRYING: &str = "carrying the office over";
const COMPARING: &str = "comparing what was carried over";

/// How many rows are read, and written, at a time.
const TOGETHER: usize = 100;

/// A table: its columns, the first `key` of which tell its rows apart.
struct Table {
    name: &'static str,
    key: usize,
    columns: &'static [(&'static str, Kind)],
}

macro_rules! tables {
    ($($name:literal $key:literal: $($column:ident $kind:ident),+;)+) => {
        &[$(Table { name: $name, key: $key, columns: &[$((stringify!($column), Kind::$kind)),+] }),+]
    };
}

/// Every table, and every column of it but what a database counts by itself.
const TABLES: &[Table] = tables! {
    "hub" 1: one Int, device Bytes, key Bytes, epoch Bytes, clock Int, backups_begun Int, backup_whole Int,
        losses Int, projection Int;
    "op" 2: scope Bytes, seq Int, op_id Bytes, tx Bytes, entity Text, id Bytes, kind Text, received Int, checksum Int,
        body Text;
    "chain" 3: device Bytes, incarnation Int, dev_seq Int, hash Bytes;
    "quarantine" 3: device Bytes, incarnation Int, dev_seq Int, op_id Bytes, tx Bytes, entity Text, field Text, code Text,
        detail Text, at Int, body Text;
    "seen_to" 3: device Bytes, incarnation Int, dev_seq Int, person Bytes, name Text, at Int, stands Int;
    "register" 2: id Bytes, field Text, sides Text;
    "member" 3: id Bytes, field Text, rev Bytes, hlc Int, side Text, sha256 Bytes;
    "pin" 2: id Bytes, field Text, rev Bytes;
    "site" 1: id Bytes, record Text;
    "place" 1: id Bytes, scope Bytes, record Text;
    "asset" 1: id Bytes, scope Bytes, record Text;
    "unit" 1: id Bytes, scope Bytes, record Text;
    "person" 1: id Bytes, scope Bytes, record Text;
    "round" 1: id Bytes, scope Bytes, due Text, record Text;
    "checks" 1: id Bytes, scope Bytes, round Bytes, asset Bytes, ord Int, items Int, answered Int, failed Int, record Text;
    "finding" 1: id Bytes, scope Bytes, check_id Bytes, live Int, record Text;
    "issue" 1: id Bytes, scope Bytes, number Int, status Text, unit Bytes, finding Bytes, changed Int, record Text;
    "sign_off" 1: id Bytes, scope Bytes, round Bytes, unit Bytes, seq Int, jws Text;
    "account" 1: name Text, password Text, person Bytes;
    "session" 1: token Bytes, person Bytes, expires Int;
    "enrolment" 1: code Bytes, name Text, person Bytes, expires Int;
    "device" 1: id Bytes, name Text, person Bytes, site Bytes, key Text, token Bytes, revoked Int, version Text,
        last_seen Int, ahead Int;
    "blob" 1: sha256 Bytes, bytes Int, media_type Text, verified_at Int;
    "thumbnail" 1: of Bytes, sha256 Bytes;
    "upload" 1: id Bytes, sha256 Bytes, bytes Int, arrived Int, device Bytes, opened Int, touched Int, metadata Text;
    "backed_up" 2: device Bytes, incarnation Int, dev_seq Int;
    "filing" 1: issue Bytes, state Text, number Int, said Text;
};

/// What a cell holds, by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    Null(Kind),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Held {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null(kind) => Value::Null(*kind),
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }

    fn read(row: Row<'_>, at: usize, kind: Kind) -> Result<Self, SqlError> {
        let held = match kind {
            Kind::Int => row.get::<Option<_>>(at)?.map(Self::Int),
            Kind::Text => row.get::<Option<_>>(at)?.map(Self::Text),
            Kind::Bytes => row.get::<Option<_>>(at)?.map(Self::Bytes),
        };
        Ok(held.unwrap_or(Self::Null(kind)))
    }
}

impl Table {
    fn names(&self, count: usize) -> String {
        let names: Vec<&str> = self.columns.iter().take(count).map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// The rows behind `last`, in the order of the key.
    fn page(&self, from: &dyn Sql, last: Option<&Vec<Held>>) -> Result<Vec<Vec<Held>>, SqlError> {
        let (all, key) = (self.names(self.columns.len()), self.names(self.key));
        let behind = last.map_or_else(String::new, |_| {
            let places = vec!["?"; self.key].join(", ");
            format!("WHERE ({key}) > ({places})")
        });
        let sql = format!("SELECT {all} FROM {} {behind} ORDER BY {key} LIMIT ?", self.name);
        let mut values: Vec<Value<'_>> =
            last.iter().flat_map(|last| last.iter().take(self.key).map(Held::value)).collect();
        values.push(TOGETHER.value());
        let mut rows = Vec::new();
        from.rows(&sql, &values, &mut |row| {
            let cells = self.columns.iter().enumerate();
            rows.push(cells.map(|(at, (_, kind))| Held::read(row, at, *kind)).collect::<Result<_, _>>()?);
            Ok(true)
        })?;
        Ok(rows)
    }

    fn put(&self, to: &dyn Sql, rows: &[Vec<Held>]) -> Result<(), SqlError> {
        let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
        let places = vec![row.as_str(); rows.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES {places}", self.name, self.names(self.columns.len()));
        let values: Vec<Value<'_>> = rows.iter().flatten().map(Held::value).collect();
        to.run(&sql, &values).map(drop)
    }
}

/// Copies every row of one database into the other, whose tables are empty. Each of the two is in the middle of a transaction.
pub(in crate::store) fn carry(from: &dyn Sql, to: &dyn Sql) -> Result<(), StoreError> {
    for table in TABLES {
        let mut page = table.page(from, None).doing(CARRYING)?;
        while let Some(last) = page.last() {
            table.put(to, &page).doing(CARRYING)?;
            page = table.page(from, Some(last)).doing(CARRYING)?;
        }
    }
    Ok(())
}

/// Whether every table but the hub's own row is empty.
pub(in crate::store) fn is_empty(at: &dyn Sql) -> Result<bool, StoreError> {
    for table in TABLES.iter().filter(|table| table.name != "hub") {
        if !table.page(at, None).doing(COMPARING)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where two databases differ: in the first table of which they do not hold the same rows; `None` where they hold the same.
pub(in crate::store) fn differ(one: &dyn Sql, other: &dyn Sql) -> Result<Option<&'static str>, StoreError> {
    for table in TABLES {
        let mut last = None;
        loop {
            let page = table.page(one, last.as_ref()).doing(COMPARING)?;
            if page != table.page(other, last.as_ref()).doing(COMPARING)? {
                return Ok(Some(table.name));
            }
            last = page.into_iter().next_back();
            if last.is_none() {
                break;
            }
        }
    }
    Ok(None)
}

/// Adds each site's log up anew, out of the operations themselves. Gives how many there are.
///
/// # Errors
/// [`StoreError::Unreadable`] where the sums beside them, or their numbers, are others.
pub(in crate::store) fn add_up(at: &dyn Sql) -> Result<u64, StoreError> {
    let sql = "SELECT scope, seq, op_id, received, body, checksum FROM op WHERE (scope, seq) > (?, ?)
               ORDER BY scope, seq LIMIT ?";
    let (mut scope, mut head, mut sum, mut count) = (Uuid::nil(), 0_u64, Checksum::default(), 0);
    let mut is_right = true;
    loop {
        let (site, after, before) = (scope, head, count);
        at.rows(sql, bind![site, after, TOGETHER], &mut |row| {
            let (of, seq): (Uuid, u64) = (row.get(0)?, row.get(1)?);
            if of != scope {
                (scope, head, sum) = (of, 0, Checksum::default());
            }
            let body: Box<str> = row.get(4)?;
            sum = sum + Checksum::of(row.get(2)?, Millis(row.get(3)?), &body);
            is_right &= seq == head + 1 && row.get::<i64>(5)? == sum.0.cast_signed();
            (head, count) = (seq, count + 1);
            Ok(is_right)
        })
        .doing(COMPARING)?;
        if !is_right {
            let detail = format!("the sum over the log of {scope} is wrong at {head}");
            return Err(StoreError::Unreadable { doing: COMPARING, detail });
        }
        if count == before {
            return Ok(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// A column that a later migration adds is carried, too, or this fails.
    #[test]
    fn every_column_of_every_table_is_carried() {
        let dir = tempfile::TempDir::new().unwrap();
        let (connection, _) =
            crate::store::sqlite::open_file(&dir.path().join("hub.db"), &crate::world::RealWorld).unwrap();
        let listed = |sql: &str| -> Vec<String> {
            let mut statement = Connection::prepare(&connection, sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let mut tables = listed("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
        tables.retain(|name| !name.starts_with("sqlite_"));
        let mut known: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        known.sort_unstable();
        assert_eq!(known, tables);
        for table in TABLES {
            let columns =
                listed(&format!("SELECT name FROM pragma_table_info('{}') ORDER BY name", table.name));
            let mut known: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
            known.sort_unstable();
            assert_eq!(known, columns, "{}", table.name);
            let key =
                format!("SELECT name FROM pragma_table_info('{}') WHERE pk > 0 ORDER BY pk", table.name);
            let known: Vec<&str> = table.columns.iter().take(table.key).map(|(name, _)| *name).collect();
            assert_eq!(known, listed(&key), "{}", table.name);
        }
    }
}
