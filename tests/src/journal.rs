//! What a tablet's screens have said is saved: a file that outlives the process, so that all of it can be demanded later.

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use standpipe_device::engine::Engine;
use standpipe_device::store::StoreError;
use standpipe_device::store::blobs::Role;
use standpipe_domain::ids::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;
use uuid::Uuid;

/// What was said to be saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    pub ops: BTreeSet<Uuid>,
    /// With their bytes.
    pub photos: BTreeMap<Sha256, u64>,
}

impl Saved {
    /// Reads a journal; an empty one where there is none. What a kill left of the last line counts for nothing.
    pub fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut saved = Self::default();
        for line in whole.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["op", op] => drop(saved.ops.insert(op.parse()?)),
                ["photo", hash, bytes] => drop(saved.photos.insert(hash.parse()?, bytes.parse()?)),
                _ => {}
            }
        }
        Ok(saved)
    }
}

/// The journal of a tablet at work.
pub struct Journal {
    file: File,
    /// How far the tablet's log was looked through.
    seen: i64,
}

impl Journal {
    /// Opens the journal at `path`, and demands what stands in it of the tablet that has just started again. What the
    /// tablet had committed when it was killed, before anybody was told, is added: it is as safe.
    ///
    /// # Errors
    /// When the tablet has lost something that was said to be saved.
    pub fn open(path: &Path, engine: &Engine) -> Result<Self> {
        let saved = Saved::read(path)?;
        let own = own_ops(engine, 0)?;
        let held: BTreeSet<Uuid> = own.iter().map(|(_, op)| *op).collect();
        let lost = saved.ops.iter().find(|op| !held.contains(op));
        ensure!(lost.is_none(), "LOST: the tablet does not have the operation {lost:?}, which it had saved");
        for (photo, bytes) in &saved.photos {
            let there = fs::metadata(engine.store().vault().path(*photo, Role::Original));
            let there = there.with_context(|| format!("LOST: the photo {photo}, which it had saved"))?.len();
            ensure!(there == *bytes, "LOST: the photo {photo} has {there} of {bytes} bytes");
        }
        let file = File::options().create(true).append(true).open(path)?;
        let mut journal = Self { file, seen: 0 };
        // Ends a line that a kill cut.
        journal.write("\n")?;
        journal.note(own.into_iter().filter(|(_, op)| !saved.ops.contains(op)), &[])?;
        journal.seen = last(engine)?;
        Ok(journal)
    }

    /// A command has returned: whatever it recorded is saved.
    pub fn saved(&mut self, engine: &Engine, photos: &[(Sha256, u64)]) -> Result<()> {
        let news = own_ops(engine, self.seen)?;
        self.seen = news.last().map_or(self.seen, |(seq, _)| *seq);
        self.note(news, photos)
    }

    fn note(&mut self, ops: impl IntoIterator<Item = (i64, Uuid)>, photos: &[(Sha256, u64)]) -> Result<()> {
        let ops = ops.into_iter().map(|(_, op)| format!("op {op}\n"));
        let photos = photos.iter().map(|(hash, bytes)| format!("photo {hash} {bytes}\n"));
        let lines = ops.chain(photos).collect::<Vec<_>>().concat();
        self.write(&lines)
    }

    // In one call: a kill comes before or after it.
    fn write(&mut self, lines: &str) -> Result<()> {
        Ok(self.file.write_all(lines.as_bytes())?)
    }
}

/// The tablet's own operations behind this place in its log, with their places.
fn own_ops(engine: &Engine, after: i64) -> Result<Vec<(i64, Uuid)>> {
    read(engine, |conn| {
        conn.prepare_cached(
            "SELECT seq, op_id FROM op WHERE incarnation IS NOT NULL AND seq > ?1 ORDER BY seq",
        )?
        .query_map([after], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
    })
}

fn last(engine: &Engine) -> Result<i64> {
    read(engine, |conn| conn.query_row("SELECT coalesce(max(seq), 0) FROM op", [], |row| row.get(0)))
}

/// Reads the tablet's database as its screens do.
pub fn read<T>(engine: &Engine, look: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
    Ok(engine.store().read("looking for a test", |conn| look(conn).map_err(StoreError::from))?)
}
