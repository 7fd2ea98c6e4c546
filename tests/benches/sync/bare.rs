//! What this machine itself takes for the same bytes: the bare baseline beside a figure, measured in the same run.

use anyhow::{Context, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A database as it was before.
pub struct Before(PathBuf);

/// How much SQLite keeps in memory, and how long its log may become.
#[derive(Clone, Copy)]
pub struct Settings {
    cache_kib: i64,
    checkpoint_pages: i64,
}

impl Settings {
    pub const HUB: Self = Self { cache_kib: 32 * 1024, checkpoint_pages: 8 * 1024 };
    pub const TABLET: Self = Self { cache_kib: 16_000, checkpoint_pages: 4_096 };
}

/// The rows of one table, and what puts one of them in.
struct Rows {
    put: String,
    rows: Vec<Vec<Value>>,
}

impl Before {
    /// Copies the database at `from`, which may be in use.
    pub fn of(from: &Path, copy: PathBuf) -> Result<Self> {
        Connection::open(from)?.execute("VACUUM INTO ?1", [copy.to_str().context("a path that is text")?])?;
        Ok(Self(copy))
    }

    /// The seconds in which SQLite alone puts into the copy what is new in these tables of `now`, indexes and all, in so
    /// many durable transactions and with the `settings` that the product has there. Nothing is read, made or judged
    /// meanwhile.
    pub fn add(&self, now: &Path, tables: &[&str], transactions: usize, settings: Settings) -> Result<f64> {
        let connection = Connection::open(&self.0)?;
        connection.execute("ATTACH ?1 AS now", [now.to_str().context("a path that is text")?])?;
        let mut new = Vec::new();
        for table in tables {
            let sql = format!("SELECT * FROM now.{table} EXCEPT SELECT * FROM main.{table}");
            let mut statement = connection.prepare(&sql)?;
            let columns = statement.column_count();
            let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
            let rows: Vec<Vec<Value>> = statement.query_map([], read)?.collect::<Result<_, _>>()?;
            let places = vec!["?"; columns].join(", ");
            new.push(Rows { put: format!("INSERT OR REPLACE INTO main.{table} VALUES ({places})"), rows });
        }
        connection.execute("DETACH now", [])?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "cache_size", -settings.cache_kib)?;
        connection.pragma_update(None, "wal_autocheckpoint", settings.checkpoint_pages)?;
        let began = Instant::now();
        for n in 0..transactions {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for Rows { put, rows } in &new {
                let mut put = connection.prepare_cached(put)?;
                for row in &rows[rows.len() * n / transactions..rows.len() * (n + 1) / transactions] {
                    put.execute(params_from_iter(row))?;
                }
            }
            connection.execute_batch("COMMIT")?;
        }
        Ok(began.elapsed().as_secs_f64())
    }
}

/// The seconds in which so many files of these bytes are written, synced, given their names durably, and read back and
/// hashed.
pub fn files(folder: &Path, bytes: &[u8], count: u32) -> Result<f64> {
    fs::create_dir_all(folder)?;
    let held = File::open(folder)?;
    let began = Instant::now();
    for n in 0..count {
        let (part, whole) = (folder.join("part"), folder.join(n.to_string()));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&part)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&part, &whole)?;
        held.sync_all()?;
        let (mut file, mut hash, mut piece) = (File::open(&whole)?, Sha256::new(), vec![0; 256 * 1024]);
        loop {
            match file.read(&mut piece)? {
                0 => break,
                read => hash.update(&piece[..read]),
            }
        }
        std::hint::black_box(hash.finalize());
    }
    Ok(began.elapsed().as_secs_f64())
}
