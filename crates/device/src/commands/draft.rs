//! Words that belong to no record yet: a note before its answer, an amendment that was not made, an objection. They are
//! kept as durably as records, and are not one.

use crate::engine::Engine;
use crate::error::Error;
use crate::store::StoreError;
use rusqlite::params;
use std::collections::BTreeMap;

impl Engine {
    /// What was kept, by the names that the screens gave.
    pub fn drafts(&self) -> Result<BTreeMap<String, String>, Error> {
        self.store.read("reading what was typed and not recorded", |conn| {
            let mut drafts = conn.prepare("SELECT name, text FROM draft")?;
            let rows = drafts.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Keeps words under a name; none takes them away. When this returns it is durable.
    pub fn keep_draft(&self, name: &str, text: &str) -> Result<(), Error> {
        self.store.write_quietly("keeping what was typed", |writing| {
            if text.is_empty() {
                writing.execute("DELETE FROM draft WHERE name = ?1", [name])?;
            } else {
                let sql = "INSERT OR REPLACE INTO draft (name, text, at) VALUES (?1, ?2, ?3)";
                writing.execute(sql, params![name, text, writing.now().0])?;
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(())
    }
}
