//! What the tablet's person chose.

use super::fault::StoreError;
use super::{Store, Writing};
use rusqlite::{Connection, OptionalExtension, params};
use standpipe_domain::hold::Choices;

const WIFI: &str = "wait-for-wifi";
const BATTERY: &str = "wait-for-battery";

impl Store {
    /// What the person chose; before that, nothing waits.
    pub fn choices(&self) -> Result<Choices, StoreError> {
        self.read("reading what the person chose", choices)
    }

    /// Writes down what the person chose. When this returns it is durable.
    pub fn choose(&self, choices: Choices) -> Result<(), StoreError> {
        self.write("writing down what the person chose", |writing| {
            put(writing, WIFI, choices.wait_for_wifi)?;
            put(writing, BATTERY, choices.wait_for_battery)
        })
    }
}

/// What the person chose.
pub fn choices(conn: &Connection) -> Result<Choices, StoreError> {
    let chosen = |name: &str| -> Result<bool, StoreError> {
        let mut row = conn.prepare_cached("SELECT chosen FROM choice WHERE name = ?1")?;
        Ok(row.query_row([name], |row| row.get(0)).optional()?.unwrap_or_default())
    };
    Ok(Choices { wait_for_wifi: chosen(WIFI)?, wait_for_battery: chosen(BATTERY)? })
}

fn put(writing: &Writing<'_>, name: &str, chosen: bool) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO choice (name, chosen, at) VALUES (?1, ?2, ?3)";
    writing.prepare_cached(sql)?.execute(params![name, chosen, writing.now().0])?;
    Ok(())
}
