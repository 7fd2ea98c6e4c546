//! A connection at work, in the middle of a transaction or a snapshot.

use super::{Row, Sql, SqlError, Take, Value};
use crate::store::{Doing, Identity, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use standpipe_domain::ids::SiteId;
use standpipe_oplog::checksum::Checksum;
use std::collections::BTreeSet;

/// A connection at work.
pub(in crate::store) struct Desk<'c> {
    sql: &'c dyn Sql,
    pub(super) identity: &'c Identity,
    /// The sites that have something new once the transaction is durable.
    pub(in crate::store) pokes: BTreeSet<SiteId>,
    /// The log's head of the site that was added to last.
    pub(super) head: Option<(SiteId, u64, Checksum)>,
}

impl<'c> Desk<'c> {
    pub(in crate::store) fn new(sql: &'c dyn Sql, identity: &'c Identity) -> Self {
        Self { sql, identity, pokes: BTreeSet::new(), head: None }
    }

    /// Runs one statement. Gives how many rows it changed.
    pub(in crate::store) fn run(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<usize, StoreError> {
        self.sql.run(sql, values).doing(doing)
    }

    /// The first row of a query.
    pub(in crate::store) fn first<T>(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Option<T>, StoreError> {
        let mut first = None;
        self.until(doing, sql, values, &mut |row| {
            first = Some(read(row)?);
            Ok(false)
        })?;
        Ok(first)
    }

    /// Every row of a query.
    pub(in crate::store) fn all<T>(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut all = Vec::new();
        self.until(doing, sql, values, &mut |row| {
            all.push(read(row)?);
            Ok(true)
        })?;
        Ok(all)
    }

    /// Shows `take` one row after the other, until it wants no more. PostgreSQL sends the others all the same: the
    /// statement says how many there may be.
    pub(super) fn until(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[Value<'_>],
        take: &mut Take<'_>,
    ) -> Result<(), StoreError> {
        self.sql.rows(sql, values, take).doing(doing)
    }

    /// The record in the first column of the first row.
    pub(super) fn record<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.first(doing, sql, values, |row| row.get(0))?;
        text.map(|text| parse(doing, &text)).transpose()
    }

    /// The records in the first column of every row.
    pub(super) fn records<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let texts: Vec<String> = self.all(doing, sql, values, |row| row.get(0))?;
        texts.iter().map(|text| parse(doing, text)).collect()
    }

    pub(in crate::store) fn batch(&self, doing: &'static str, sql: &str) -> Result<(), StoreError> {
        self.sql.batch(sql).doing(doing)
    }

    /// What comes may take as long as it takes, to the end of the transaction: nobody waits for it.
    pub(super) fn take_time(&self) {
        self.sql.take_time();
    }
}

/// What JSON in the database says.
pub(super) fn parse<T: DeserializeOwned>(doing: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).reading(doing)
}

/// A record as JSON.
pub(super) fn json<T: Serialize>(doing: &'static str, record: &T) -> Result<String, StoreError> {
    serde_json::to_string(record).reading(doing)
}

/// A 64-bit number as its bits: SQL's integers have a sign.
pub(super) fn bits(number: u64) -> i64 {
    number.cast_signed()
}
