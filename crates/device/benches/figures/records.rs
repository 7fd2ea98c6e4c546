//! Saving an answer, the first screen, searching.

use crate::Outcome;
use crate::estate::{ASSETS, CHECKS, OPEN, fill, queries};
use rusqlite::Connection;
use serde_json::json;
use standpipe_device::engine::Engine;
use standpipe_device::testing::check;
use standpipe_device::testing::figure::{millis, percentile, report, rounded};
use standpipe_device::testing::large::passing;
use standpipe_device::world::RealWorld;
use standpipe_domain::sync::{SyncLine, SyncState};
use standpipe_domain::tablet::NewAnswer;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SAVES: usize = 3_000;
const STARTS: usize = 10;
const SEARCHES: u32 = 2_000;

/// `save_check` and `today_cold`, in one database.
pub fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    fill(folder.path(), ASSETS, CHECKS)?;
    let bytes = folder.path().join("standpipe.db").metadata()?.len();
    save_check(folder.path(), bytes)?;
    today_cold(folder.path(), bytes)
}

fn save_check(folder: &Path, bytes: u64) -> Outcome<()> {
    let engine = Engine::open(folder, Arc::new(RealWorld))?;
    let bare = Bare::open(folder)?;
    let (mut saves, mut commits) = (Vec::new(), Vec::new());
    'all: for n in (CHECKS - OPEN)..CHECKS {
        let list = engine.check(check(n))?.checklist.ok_or("no checklist")?;
        for item in &list.items {
            let new =
                NewAnswer { check: check(n), item: item.id.clone(), answer: passing(item), seen: Vec::new() };
            let start = Instant::now();
            engine.answer(&new)?;
            saves.push(start.elapsed());
            commits.push(bare.commit()?);
            if saves.len() == SAVES {
                break 'all;
            }
        }
    }
    let (value, baseline) = (percentile(&mut saves, 0.99), percentile(&mut commits, 0.99));
    let more = json!({
        "percentile": 99, "baseline": rounded(baseline), "ratio": rounded(value / baseline),
        "median": rounded(percentile(&mut saves, 0.5)),
        "median_baseline": rounded(percentile(&mut commits, 0.5)),
        "assets": ASSETS, "checks": CHECKS, "database_mb": bytes >> 20,
    });
    report("save_check", value, "ms", more);
    Ok(())
}

/// A database that does nothing but commit one row durably.
struct Bare(Connection);

impl Bare {
    fn open(folder: &Path) -> Outcome<Self> {
        let connection = Connection::open(folder.join("bare.db"))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.execute_batch("CREATE TABLE bare (n INTEGER PRIMARY KEY, text TEXT NOT NULL)")?;
        Ok(Self(connection))
    }

    fn commit(&self) -> Outcome<Duration> {
        let start = Instant::now();
        self.0.prepare_cached("INSERT INTO bare (text) VALUES ('a bare row')")?.execute([])?;
        Ok(start.elapsed())
    }
}

fn today_cold(folder: &Path, bytes: u64) -> Outcome<()> {
    let mut times = Vec::new();
    let mut rounds = 0_u32;
    for _ in 0..STARTS {
        let start = Instant::now();
        let child = Command::new(std::env::current_exe()?).arg("--today").arg(folder).output()?;
        times.push(start.elapsed());
        if !child.status.success() {
            return Err(String::from_utf8_lossy(&child.stderr).into());
        }
        rounds = String::from_utf8_lossy(&child.stdout).trim().parse()?;
    }
    let value = percentile(&mut times, 1.0);
    let more = json!({
        "of": "the slowest start", "starts": STARTS, "median": rounded(percentile(&mut times, 0.5)),
        "rounds_shown": rounds, "database_mb": bytes >> 20,
    });
    report("today_cold", value, "ms", more);
    Ok(())
}

/// The child process of [`today_cold`]: ends as soon as the first screen's data is there.
pub fn today(folder: &Path) -> Outcome<()> {
    let engine = Engine::open(folder, Arc::new(RealWorld))?;
    let sync = SyncLine {
        state: SyncState::Waiting,
        records: 0,
        photos: 0,
        bytes: 0,
        lost: 0,
        held: None,
        surroundings: standpipe_domain::hold::Surroundings::default(),
        set_aside: 0,
        last_synced: None,
        trouble: None,
    };
    println!("{}", engine.today(sync)?.rounds.len());
    Ok(())
}

pub fn search() -> Outcome<()> {
    const MANY: u32 = 100_000;
    let folder = tempfile::tempdir()?;
    fill(folder.path(), MANY, 0)?;
    let engine = Engine::open(folder.path(), Arc::new(RealWorld))?;
    let mut times = Vec::new();
    let mut found = 0;
    for query in queries(SEARCHES, MANY) {
        let start = Instant::now();
        let lines = engine.search(&query)?;
        times.push(start.elapsed());
        if lines.is_empty() {
            return Err(format!("nothing found for {query}").into());
        }
        found += lines.len();
    }
    let value = percentile(&mut times, 0.99);
    let more = json!({
        "percentile": 99, "median": rounded(percentile(&mut times, 0.5)),
        "slowest": rounded(times.last().map_or(0.0, |time| millis(*time))),
        "assets": MANY, "queries": SEARCHES, "found": found,
    });
    report("search", value, "ms", more);
    Ok(())
}
