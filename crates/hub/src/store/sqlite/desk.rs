//! A connection at work, in the middle of a transaction or a snapshot.

use crate::store::{Doing, Identity, StoreError};
use rusqlite::{Connection, OptionalExtension, Params, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use standpipe_domain::ids::SiteId;
use standpipe_oplog::checksum::Checksum;
use std::collections::BTreeSet;

/// A connection at work.
pub(super) struct Desk<'c> {
    connection: &'c Connection,
    pub(super) identity: &'c Identity,
    /// The sites that have something new once the transaction is durable.
    pub(super) pokes: BTreeSet<SiteId>,
    /// The log's head of the site that was added to last.
    pub(super) head: Option<(SiteId, u64, Checksum)>,
}

impl<'c> Desk<'c> {
    pub(super) fn new(connection: &'c Connection, identity: &'c Identity) -> Self {
        Self { connection, identity, pokes: BTreeSet::new(), head: None }
    }

    /// Runs one statement. Gives how many rows it changed.
    pub(super) fn run(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
    ) -> Result<usize, StoreError> {
        self.connection.prepare_cached(sql).and_then(|mut it| it.execute(params)).doing(doing)
    }

    /// The first row of a query.
    pub(super) fn first<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut it| it.query_row(params, read).optional())
            .doing(doing)
    }

    /// Every row of a query.
    pub(super) fn all<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut it| it.query_map(params, read)?.collect())
            .doing(doing)
    }

    /// Shows `take` one row after the other, until it wants no more.
    pub(super) fn until(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> Result<(), StoreError> {
        let all = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query(params)?;
            while let Some(row) = rows.next()? {
                if !take(row)? {
                    break;
                }
            }
            Ok::<_, rusqlite::Error>(())
        };
        all().doing(doing)
    }

    /// The record in the first column of the first row.
    pub(super) fn record<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.first(doing, sql, params, |row| row.get(0))?;
        text.map(|text| parse(doing, &text)).transpose()
    }

    /// The records in the first column of every row.
    pub(super) fn records<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
    ) -> Result<Vec<T>, StoreError> {
        let texts: Vec<String> = self.all(doing, sql, params, |row| row.get(0))?;
        texts.iter().map(|text| parse(doing, text)).collect()
    }

    pub(super) fn batch(&self, doing: &'static str, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).doing(doing)
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

/// A 64-bit number as its bits: SQLite's integers have a sign.
pub(super) fn bits(number: u64) -> i64 {
    number.cast_signed()
}
