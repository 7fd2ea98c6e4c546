//! Several tablets at once, each with checks and photos.

use crate::estate::{must_hold, plant};
use crate::tablet::{Sync, Tablet, random};
use anyhow::{Context, Result, anyhow};
use serde_json::json;
use standpipe_device::testing::figure::{report, rounded};
use standpipe_device::testing::large::Large;
use standpipe_tests::hub::Hub;
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TABLETS: u32 = 8;
const CHECKS: u32 = 500;
const PHOTO: usize = 300_000;
const ALL: u32 = TABLETS * CHECKS;
/// How often the hub's memory is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Checks with their photo per second at the hub, from the first greeting until every photo was read back there. A check
/// is two records here, an answer and that a photo was attached, and the photo. `memory_mb` is the most that the hub had
/// resident in that time, `memory_before_mb` the most before it, while the eight tablets were given the estate.
pub async fn measure(folder: TempDir) -> Result<()> {
    let data = folder.path().join("hub");
    let planted = plant(&data, Large { assets: 1_000, checks: ALL, open: ALL }).await?;
    let hub = Hub::start(&data, 0).await?;
    let mut tablets = Vec::new();
    for n in 0..TABLETS {
        tablets.push(Tablet::with_estate(&folder.path().join(format!("tablet-{n}")), &hub).await?);
    }
    std::thread::scope(|scope| {
        let work = tablets.iter().zip(0..).map(|(tablet, n)| scope.spawn(move || record(tablet, n * CHECKS)));
        let work: Vec<_> = work.collect();
        work.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("a tablet panicked"))?)
    })?;

    // What it took to found the estate and to give it to each tablet counts apart.
    let (id, mut memory) = (hub.id(), Vec::new());
    let before = megabytes(id, "VmHWM:")?;
    fs::write(format!("/proc/{id}/clear_refs"), "5")?;
    let began = Instant::now();
    let mut syncs = tablets.iter().map(Tablet::begin).collect::<Result<Vec<_>>>()?;
    let all_sent = async move {
        for sync in &mut syncs {
            sync.photos_sent().await?;
        }
        anyhow::Ok((began.elapsed().as_secs_f64(), syncs))
    };
    tokio::pin!(all_sent);
    let mut look = tokio::time::interval(LOOK);
    let (seconds, syncs) = loop {
        tokio::select! {
            done = &mut all_sent => break done?,
            _ = look.tick() => memory.push(megabytes(id, "VmRSS:")?),
        }
    };
    let peak = megabytes(id, "VmHWM:")?;
    syncs.into_iter().for_each(Sync::stop);
    hub.stop()?;
    must_hold(&data, planted + u64::from(2 * ALL), u64::from(ALL)).await?;
    let more = json!({
        "tablets": TABLETS, "checks": ALL, "photo_bytes": PHOTO, "seconds": rounded(seconds),
        "memory_mb": rounded(peak), "memory_growth_mb": rounded(growth(&memory)), "memory_before_mb": rounded(before),
    });
    report("push_mixed", f64::from(ALL) / seconds, "checks/s", more);
    Ok(())
}

fn record(tablet: &Tablet, first: u32) -> Result<()> {
    for n in first..first + CHECKS {
        tablet.answer(n, 1)?;
        tablet.photo(n, &random(PHOTO))?;
    }
    Ok(())
}

/// How much more memory the hub had on average in the last quarter of the time than in the second.
fn growth(memory: &[f64]) -> f64 {
    let quarter = memory.len() / 4;
    #[expect(clippy::cast_precision_loss)]
    let average = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
    average(&memory[3 * quarter..]) - average(&memory[quarter..2 * quarter])
}

/// A line of a process's memory, in MB.
fn megabytes(id: u32, line: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let value =
        status.lines().find_map(|text| text.strip_prefix(line)).context("the system tells no memory")?;
    Ok(value.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}
