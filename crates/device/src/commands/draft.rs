//! Words that belong to no record yet: a note before its answer, an amendment that was not made, an objection. They are
//! kept as durably as records, and are not one.

use crate::engine::Engine;
use crate::error::Error;
use crate::store::StoreError;
use rusqlite::params;
use std::collections::BTreeMap;

/// Before the name of a fact that is such words.
const DRAFT: &str = "draft:";

impl Engine {
    /// What was kept, by the names that the screens gave.
    pub fn drafts(&self) -> Result<BTreeMap<String, String>, Error> {
        self.store.read("reading what was typed and not recorded", |conn| {
            let mut facts = conn.prepare("SELECT substr(name, ?2), value FROM fact WHERE name GLOB ?1")?;
            let rows = facts.query_map(params![format!("{DRAFT}*"), DRAFT.len() + 1], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Keeps words under a name; none takes them away. When this returns it is durable.
    pub fn keep_draft(&self, name: &str, text: &str) -> Result<(), Error> {
        let name = format!("{DRAFT}{name}");
        self.store.write_quietly("keeping what was typed", |writing| {
            if text.is_empty() {
                writing.execute("DELETE FROM fact WHERE name = ?1", [name])?;
            } else {
                writing
                    .execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)", [&name, text])?;
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(())
    }
}
