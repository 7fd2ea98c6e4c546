//! SQL on a connection to PostgreSQL.

use super::fault::fault;
use super::number::numbered;
use super::patience::Patience;
use super::session::Session;
use crate::store::sql::{Cell, Cells, Kind, Row, Sql, SqlError, Take, Value};
use crate::world::World;
use futures::TryStreamExt;
use std::cell::{Cell as Slot, RefCell};
use std::collections::HashMap;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

type Anything = Box<dyn Error + Send + Sync>;

/// A connection to PostgreSQL. One thread works with it at a time.
pub(in crate::store) struct Link {
    /// Here until it is dropped, or given up.
    session: RefCell<Option<Session>>,
    /// Each statement by its text, as the server has prepared it.
    prepared: RefCell<HashMap<Box<str>, Statement>>,
    patience: Patience,
    /// Whoever asks has time, however long it takes.
    has_time: Slot<bool>,
    /// A statement's rows are being taken; nothing else can be asked meanwhile.
    taking: RefCell<()>,
    world: Arc<dyn World>,
}

impl Link {
    pub(super) fn new(session: Session, patience: Patience, world: Arc<dyn World>) -> Self {
        let (session, prepared) = (RefCell::new(Some(session)), RefCell::default());
        Self { session, prepared, patience, has_time: Slot::default(), taking: RefCell::default(), world }
    }

    /// Somebody waits for what comes.
    pub(super) fn hurry(&self) {
        self.has_time.set(false);
    }

    fn wait<T>(
        &self,
        ask: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, SqlError> {
        if self.taking.try_borrow().is_err() {
            return Err(SqlError::Refused("nothing can be asked while rows are taken".into()));
        }
        self.waited(ask)
    }

    fn waited<T>(
        &self,
        ask: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, SqlError> {
        let patience = (!self.has_time.get()).then_some(self.patience.answer);
        self.with(|session| session.wait(patience, ask))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Session) -> Result<T, SqlError>) -> Result<T, SqlError> {
        let mut held = self.session.borrow_mut();
        let given_up = || SqlError::Lost("the connection was given up".into());
        let result = work(held.as_mut().ok_or_else(given_up)?);
        if let Err(SqlError::Silent(_)) = result {
            // Its answer may still come, to somebody who asks something else then.
            held.take();
            self.patience.is_out();
        }
        result
    }

    fn prepared(&self, sql: &str, values: &[Value<'_>]) -> Result<Statement, SqlError> {
        if let Some(statement) = self.prepared.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let kinds: Vec<Type> = values.iter().map(|value| kind(value.kind())).collect();
        let statement = self.wait(async |client| client.prepare_typed(&numbered(sql), &kinds).await)?;
        self.prepared.borrow_mut().insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// What others tell of until `patience` is over, or the first of it.
    pub(super) fn heard(&self, patience: Duration) -> Result<Option<String>, SqlError> {
        let heard = self.with(|session| session.hear(patience))?;
        if heard.is_none() {
            // A line that was lost is as silent as one on which nobody says anything.
            self.wait(async |client| client.check_connection().await)?;
        }
        Ok(heard)
    }
}

/// Closing takes its time: it speaks with the server once more.
impl Drop for Link {
    fn drop(&mut self) {
        if let Some(session) = self.session.get_mut().take() {
            self.world.begin_aside(Box::new(move || session.close()));
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
        let changed = self.wait(async |client| client.execute(&statement, &values).await)?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn rows(&self, sql: &str, values: &[Value<'_>], take: &mut Take<'_>) -> Result<(), SqlError> {
        let statement = self.prepared(sql, values)?;
        let rows = self.wait(async |client| client.query_raw(&statement, values.iter().copied()).await)?;
        let mut rows = pin!(rows);
        let _taking = self.taking.borrow_mut();
        while let Some(row) = self.waited(async |_| rows.try_next().await)? {
            if !take(Row(&row))? {
                break;
            }
        }
        Ok(())
    }

    fn batch(&self, sql: &str) -> Result<(), SqlError> {
        self.wait(async |client| client.batch_execute(sql).await)
    }

    fn take_time(&self) {
        self.has_time.set(true);
    }
}

impl Cells for tokio_postgres::Row {
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
