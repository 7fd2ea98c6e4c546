//! Many records from one tablet.

use crate::bare::{Before, Settings};
use crate::estate::{must_hold, plant};
use crate::tablet::Tablet;
use anyhow::Result;
use serde_json::json;
use standpipe_device::testing::figure::{report, rounded};
use standpipe_device::testing::large::Large;
use standpipe_oplog::wire::MAX_OPS;
use standpipe_tests::hub::Hub;
use tempfile::TempDir;

/// Each an answer, recorded by itself.
pub const RECORDS: u32 = 50_000;
/// With enough open checks for that.
pub const ESTATE: Large = Large { assets: 1_000, checks: 5_500, open: 5_500 };

/// Records per second, from the greeting until the hub has committed all of them and the tablet has written that down.
/// `in_step_seconds` is how long it takes until the tablet has fetched their numbers too and both sums agree; `bare` how
/// many records a second SQLite alone takes into the hub's tables, a push in each transaction.
pub async fn measure(folder: TempDir) -> Result<()> {
    let data = folder.path().join("hub");
    let planted = plant(&data, ESTATE).await?;
    let hub = Hub::start(&data, 0).await?;
    let tablet = Tablet::with_estate(&folder.path().join("tablet"), &hub).await?;
    tablet.answer(0, RECORDS as usize)?;
    let bytes: usize = tablet.waiting()?.iter().map(|body| body.len()).sum();

    let before = Before::of(&data.join("hub.db"), folder.path().join("bare.db"))?;
    let mut sync = tablet.begin()?;
    sync.records_sent().await?;
    let sent = sync.elapsed().as_secs_f64();
    sync.in_step().await?;
    let in_step = sync.elapsed().as_secs_f64();
    sync.stop();
    hub.stop()?;
    must_hold(&data, planted + u64::from(RECORDS), 0).await?;
    let pushes = RECORDS as usize / MAX_OPS;
    let bare =
        before.add(&data.join("hub.db"), &["op", "chain", "register", "checks"], pushes, Settings::HUB)?;
    let more = json!({
        "records": RECORDS, "bytes_each": bytes / RECORDS as usize, "seconds": rounded(sent),
        "in_step_seconds": rounded(in_step), "bare": rounded(f64::from(RECORDS) / bare),
    });
    report("push_records", f64::from(RECORDS) / sent, "records/s", more);
    Ok(())
}
