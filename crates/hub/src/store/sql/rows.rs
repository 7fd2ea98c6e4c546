//! The rows of typed records.

use super::desk::{Desk, json};
use super::value::bind;
use crate::store::{Doing, Projected, StoreError};
use serde::Serialize;
use standpipe_domain::ids::SiteId;
use standpipe_domain::record::entity;
use uuid::Uuid;

const WRITING: &str = "writing a record";

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

/// Writes a record in place of the one of that id.
macro_rules! put {
    ($table:literal: $($column:literal),+) => {
        concat!(
            "INSERT INTO ", $table, " (", $($column, ", ",)+ "id) VALUES (", $(put!(@ $column),)+
            "?) ON CONFLICT (id) DO UPDATE SET ", $($column, " = excluded.", $column, ", ",)+ "id = excluded.id"
        )
    };
    (@ $column:literal) => { "?, " };
}

impl Desk<'_> {
    pub(super) fn write_row(&mut self, scope: SiteId, row: &Projected) -> Result<(), StoreError> {
        let scope = scope.0;
        match row {
            Projected::Site(site) => {
                self.run(WRITING, put!("site": "record"), bind![json(WRITING, site)?, site.id.0])
            }
            Projected::Place(place) => {
                let sql = put!("place": "scope", "record");
                self.run(WRITING, sql, bind![scope, json(WRITING, place)?, place.id.0])
            }
            Projected::Asset(asset) => {
                let sql = put!("asset": "scope", "record");
                self.run(WRITING, sql, bind![scope, json(WRITING, asset)?, asset.id.0])
            }
            Projected::Unit(unit) => {
                let sql = put!("unit": "scope", "record");
                self.run(WRITING, sql, bind![scope, json(WRITING, unit)?, unit.id.0])
            }
            Projected::Person(person) => {
                let sql = put!("person": "scope", "record");
                self.run(WRITING, sql, bind![scope, json(WRITING, person)?, person.id.0])
            }
            Projected::Round(round) => {
                let sql = put!("round": "scope", "due", "record");
                self.run(WRITING, sql, bind![scope, round.due.to_string(), json(WRITING, round)?, round.id.0])
            }
            Projected::Check { check, items, answered, failed } => {
                let sql =
                    put!("checks": "scope", "round", "asset", "ord", "items", "answered", "failed", "record");
                let (round, asset, ord) = (check.round.0, check.asset.0, check.order);
                let record = json(WRITING, check)?;
                let row = bind![scope, round, asset, ord, items, answered, failed, record, check.id.0];
                self.run(WRITING, sql, row)
            }
            Projected::Finding { finding, live } => {
                let sql = put!("finding": "scope", "check_id", "live", "record");
                let record = json(WRITING, finding)?;
                self.run(WRITING, sql, bind![scope, finding.check.0, live, record, finding.id.0])
            }
            Projected::Issue { issue, changed } => {
                let sql = put!("issue": "scope", "number", "status", "unit", "finding", "changed", "record");
                let (number, status) = (issue.number, word(&issue.status)?);
                let (unit, finding) = (issue.unit.map(|unit| unit.0), issue.finding.map(|finding| finding.0));
                let record = json(WRITING, issue)?;
                let row = bind![scope, number, status, unit, finding, changed.0, record, issue.id.0];
                self.run(WRITING, sql, row)
            }
            Projected::SignOff(row) => {
                let sql = put!("sign_off": "scope", "round", "unit", "seq", "jws");
                let jws = json(WRITING, &row.jws)?;
                self.run(WRITING, sql, bind![scope, row.round.0, row.unit.0, row.seq, jws, row.id.0])
            }
        }
        .map(drop)
    }

    pub(super) fn delete_row(&mut self, entity: &str, id: Uuid) -> Result<(), StoreError> {
        let Some(table) = table(entity) else { return Ok(()) };
        self.run("taking a record away", &format!("DELETE FROM {table} WHERE id = ?"), bind![id]).map(drop)
    }
}

/// The word that a value without fields is written as.
pub(super) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    let value = serde_json::to_value(value).reading(WRITING)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}
