//! SQL on a connection to PostgreSQL.

use super::number::numbered;
use crate::store::sql::{Cell, Cells, Kind, Row, Sql, SqlError, Take, Value};
use crate::world::World;
use ::postgres::error::SqlState;
use ::postgres::fallible_iterator::FallibleIterator;
use ::postgres::types::private::BytesMut;
use ::postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use ::postgres::{Client, Statement};
use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

type Anything = Box<dyn Error + Send + Sync>;

/// A connection to PostgreSQL. One thread works with it at a time.
pub(in crate::store) struct Link {
    /// Here until it is dropped.
    client: RefCell<Option<Client>>,
    /// Each statement by its text, as the server has prepared it.
    prepared: RefCell<HashMap<Box<str>, Statement>>,
    world: Arc<dyn World>,
}

impl Link {
    pub(super) fn new(client: Client, world: Arc<dyn World>) -> Self {
        Self { client: RefCell::new(Some(client)), prepared: RefCell::default(), world }
    }

    /// There is none while a row of another statement is being taken.
    fn client(&self) -> Result<RefMut<'_, Client>, SqlError> {
        let lost = || SqlError::Away("the connection was given up".into());
        let client = self.client.try_borrow_mut().map_err(|_| lost())?;
        RefMut::filter_map(client, Option::as_mut).map_err(|_| lost())
    }

    fn prepared(&self, sql: &str, values: &[Value<'_>]) -> Result<Statement, SqlError> {
        if let Some(statement) = self.prepared.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let kinds: Vec<Type> = values.iter().map(|value| kind(value.kind())).collect();
        let statement =
            self.client()?.prepare_typed(&numbered(sql), &kinds).map_err(|error| fault(&error))?;
        self.prepared.borrow_mut().insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// What others tell of until `patience` is over, or the first of it.
    pub(super) fn heard(&self, patience: Duration) -> Result<Option<String>, SqlError> {
        let mut client = self.client()?;
        let heard = client.notifications().timeout_iter(patience).next().map_err(|error| fault(&error))?;
        if heard.is_none() {
            // A line that was lost is as silent as one on which nobody says anything.
            client.check_connection().map_err(|error| fault(&error))?;
        }
        Ok(heard.map(|told| told.payload().to_owned()))
    }
}

/// Closing takes its time: it speaks with the server once more.
impl Drop for Link {
    fn drop(&mut self) {
        if let Some(client) = self.client.get_mut().take() {
            self.world.begin_aside(Box::new(move || drop(client)));
        }
    }
}

/// What the server is told of a value. Of text it finds out by itself: a column has it as text, or as its bytes.
fn kind(kind: Kind) -> Type {
    match kind {
        Kind::Int => Type::INT8,
        Kind::Text => Type::UNKNOWN,
        Kind::Bytes => Type::BYTEA,
    }
}

impl Sql for Link {
    fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, SqlError> {
        let statement = self.prepared(sql, values)?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        let changed = self.client()?.execute(&statement, &values).map_err(|error| fault(&error))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn rows(&self, sql: &str, values: &[Value<'_>], take: &mut Take<'_>) -> Result<(), SqlError> {
        let statement = self.prepared(sql, values)?;
        let mut client = self.client()?;
        let mut rows = client.query_raw(&statement, values.iter().copied()).map_err(|error| fault(&error))?;
        while let Some(row) = rows.next().map_err(|error| fault(&error))? {
            if !take(Row(&row))? {
                break;
            }
        }
        Ok(())
    }

    fn batch(&self, sql: &str) -> Result<(), SqlError> {
        self.client()?.batch_execute(sql).map_err(|error| fault(&error))
    }
}

impl Cells for ::postgres::Row {
    fn cell(&self, at: usize) -> Result<Cell<'_>, SqlError> {
        self.try_get(at).map_err(|error| fault(&error))
    }
}

impl<'r> FromSql<'r> for Cell<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Anything> {
        Ok(match *kind {
            Type::INT8 => Self::Int(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Self::Int(i32::from_be_bytes(raw.try_into()?).into()),
            Type::BOOL => Self::Int(i64::from(raw != [0])),
            Type::BYTEA => Self::Bytes(raw),
            _ => Self::Text(std::str::from_utf8(raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Anything> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::INT4 | Type::BOOL | Type::BYTEA | Type::TEXT | Type::VARCHAR)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Anything> {
        match self {
            Self::Null(_) => return Ok(IsNull::Yes),
            Self::Beyond => return Err(SqlError::Beyond.into()),
            Self::Int(number) if *kind == Type::INT8 => out.extend_from_slice(&number.to_be_bytes()),
            Self::Text(text) if *kind != Type::INT8 => out.extend_from_slice(text.as_bytes()),
            Self::Bytes(bytes) if *kind == Type::BYTEA => out.extend_from_slice(bytes),
            Self::Id(id) if *kind == Type::BYTEA => out.extend_from_slice(id.as_bytes()),
            _ => return Err(format!("a value of another kind than {kind}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::BYTEA | Type::TEXT | Type::VARCHAR)
    }

    to_sql_checked!();
}

/// What PostgreSQL says, in the words of the store.
pub(super) fn fault(error: &::postgres::Error) -> SqlError {
    let mut text = error.to_string();
    if let Some(inner) = error.source() {
        text = format!("{text}: {inner}");
    }
    let lost = || error.is_closed() || error.source().is_some_and(<dyn Error>::is::<io::Error>);
    match error.code() {
        Some(code) if *code == SqlState::DISK_FULL => SqlError::Full(text),
        Some(code) if is_away(code) => SqlError::Away(text),
        None if lost() => SqlError::Away(text),
        _ => SqlError::Refused(text),
    }
}

/// Whether it is worth trying again: the server stops, starts, is short of something, or gave up waiting.
fn is_away(code: &SqlState) -> bool {
    // Connections; short of something; somebody intervened.
    ["08", "53", "57"].iter().any(|class| code.code().starts_with(class))
        || [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            // It was the first server until a moment ago.
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ]
        .contains(code)
}
