//! SQL on a connection to SQLite.

use crate::store::sql::{Cell, Cells, Row, Sql, SqlError, Take, Value};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

impl Sql for Connection {
    fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, SqlError> {
        Ok(self.prepare_cached(sql)?.execute(params_from_iter(values))?)
    }

    fn rows(&self, sql: &str, values: &[Value<'_>], take: &mut Take<'_>) -> Result<(), SqlError> {
        let mut statement = self.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if !take(Row(row))? {
                break;
            }
        }
        Ok(())
    }

    fn batch(&self, sql: &str) -> Result<(), SqlError> {
        Ok(self.execute_batch(sql)?)
    }
}

impl Cells for rusqlite::Row<'_> {
    fn cell(&self, at: usize) -> Result<Cell<'_>, SqlError> {
        let other = |found| Err(SqlError::Cell { at, found, wanted: "text, bytes or a whole number" });
        match self.get_ref(at)? {
            ValueRef::Null => Ok(Cell::Null),
            ValueRef::Integer(number) => Ok(Cell::Int(number)),
            ValueRef::Text(text) => {
                std::str::from_utf8(text).map_or_else(|_| other("no text"), |text| Ok(Cell::Text(text)))
            }
            ValueRef::Blob(bytes) => Ok(Cell::Bytes(bytes)),
            ValueRef::Real(_) => other("a fraction"),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null(_) => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Id(id) => ValueRef::Blob(id.as_bytes()),
            Self::Beyond => return Err(rusqlite::Error::ToSqlConversionFailure(SqlError::Beyond.into())),
        }))
    }
}
