//! The rows of typed records.

use super::desk::{Desk, json, parse};
use crate::store::{Doing, Projected, StoreError};
use rusqlite::ToSql;
use serde::Serialize;
use standpipe_domain::ids::{Millis, SiteId};
use standpipe_domain::record::entity;
use standpipe_oplog::op::Op;
use uuid::Uuid;

const WRITING: &str = "writing a record";

/// Every table that can be made again out of the log.
pub(super) const PROJECTIONS: [&str; 13] = [
    "register", "member", "pin", "site", "place", "asset", "unit", "person", "round", "checks", "finding",
    "issue", "sign_off",
];

fn table(entity: &str) -> Option<&'static str> {
    Some(match entity {
        entity::SITE => "site",
        entity::PLACE => "place",
        entity::ASSET => "asset",
        entity::UNIT => "unit",
        entity::PERSON => "person",
        entity::ROUND => "round",
        entity::CHECK => "checks",
        entity::FINDING => "finding",
        entity::ISSUE => "issue",
        entity::SIGN_OFF => "sign_off",
        _ => return None,
    })
}

impl Desk<'_> {
    pub(super) fn write_row(&mut self, scope: SiteId, row: &Projected) -> Result<(), StoreError> {
        let scope = scope.0;
        match row {
            Projected::Site(site) => self
                .run(
                    WRITING,
                    "INSERT OR REPLACE INTO site (id, record) VALUES (?, ?)",
                    (site.id.0, json(WRITING, site)?),
                )
                .map(drop),
            Projected::Place(place) => self.keep("place", place.id.0, scope, &[], place),
            Projected::Asset(asset) => self.keep("asset", asset.id.0, scope, &[], asset),
            Projected::Unit(unit) => self.keep("unit", unit.id.0, scope, &[], unit),
            Projected::Person(person) => self.keep("person", person.id.0, scope, &[], person),
            Projected::Round(round) => {
                self.keep("round", round.id.0, scope, &[("due", &round.due.to_string())], round)
            }
            Projected::Check { check, items, answered, failed } => self.keep(
                "checks",
                check.id.0,
                scope,
                &[
                    ("round", &check.round.0),
                    ("asset", &check.asset.0),
                    ("ord", &check.order),
                    ("items", items),
                    ("answered", answered),
                    ("failed", failed),
                ],
                check,
            ),
            Projected::Finding { finding, live } => self.keep(
                "finding",
                finding.id.0,
                scope,
                &[("check_id", &finding.check.0), ("live", live)],
                finding,
            ),
            Projected::Issue { issue, changed } => {
                let status = word(&issue.status)?;
                self.keep(
                    "issue",
                    issue.id.0,
                    scope,
                    &[
                        ("number", &issue.number),
                        ("status", &status),
                        ("unit", &issue.unit.map(|unit| unit.0)),
                        ("finding", &issue.finding.map(|finding| finding.0)),
                        ("changed", &changed.0),
                    ],
                    issue,
                )
            }
            Projected::SignOff(row) => self
                .run(
                    WRITING,
                    "INSERT OR REPLACE INTO sign_off (id, scope, round, unit, seq, jws) VALUES (?, ?, ?, ?, ?, ?)",
                    (row.id.0, scope, row.round.0, row.unit.0, row.seq, json(WRITING, &row.jws)?),
                )
                .map(drop),
        }
    }

    /// Writes a record with the columns that it is found by.
    fn keep<T: Serialize>(
        &self,
        table: &'static str,
        id: Uuid,
        scope: Uuid,
        columns: &[(&str, &dyn ToSql)],
        record: &T,
    ) -> Result<(), StoreError> {
        let record = json(WRITING, record)?;
        let mut names = String::from("id, scope, record");
        let mut places = String::from("?, ?, ?");
        let mut values: Vec<&dyn ToSql> = vec![&id, &scope, &record];
        for (name, value) in columns {
            names.extend([", ", name]);
            places.push_str(", ?");
            values.push(*value);
        }
        let sql = format!("INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})");
        self.run(WRITING, &sql, values.as_slice()).map(drop)
    }

    pub(super) fn delete_row(&mut self, entity: &str, id: Uuid) -> Result<(), StoreError> {
        let Some(table) = table(entity) else { return Ok(()) };
        self.run("taking a record away", &format!("DELETE FROM {table} WHERE id = ?"), [id]).map(drop)
    }

    pub(super) fn drop_projections(&mut self) -> Result<(), StoreError> {
        PROJECTIONS
            .iter()
            .try_for_each(|table| self.batch("dropping the projections", &format!("DELETE FROM {table}")))
    }

    /// Shows `each` every operation of the log in order, with the time of its receipt.
    pub(super) fn each_op(
        &mut self,
        mut each: impl FnMut(&mut Self, &Op, Millis) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let doing = "reading the log";
        // A page at a time: a log may be larger than memory.
        let sql = "SELECT scope, seq, received, body FROM op WHERE (scope, seq) > (?, ?)
                   ORDER BY scope, seq LIMIT 1000";
        let mut cursor = (Uuid::nil(), 0_u64);
        loop {
            let rows: Vec<(Uuid, u64, i64, String)> =
                self.all(doing, sql, cursor, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            for (_, _, received, body) in &rows {
                each(self, &parse(doing, body)?, Millis(*received))?;
            }
            match rows.last() {
                Some((scope, seq, ..)) => cursor = (*scope, *seq),
                None => return Ok(()),
            }
        }
    }
}

/// The word that a value without fields is written as.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    let value = serde_json::to_value(value).reading(WRITING)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}
