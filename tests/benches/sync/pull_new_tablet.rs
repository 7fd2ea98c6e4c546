//! What a new tablet waits for.

use crate::bare::{Before, Settings};
use crate::estate::plant;
use crate::tablet::Tablet;
use anyhow::{Result, ensure};
use rusqlite::Connection;
use serde_json::json;
use standpipe_device::testing::figure::{report, rounded};
use standpipe_device::testing::large::Large;
use standpipe_oplog::snapshot::LARGEST;
use standpipe_tests::hub::Hub;
use tempfile::TempDir;

const ESTATE: Large = Large { assets: 10_000, checks: 100_000, open: 1_000 };

/// The seconds from the greeting until a new tablet holds the whole estate, durably, and both sums agree. `bare` are those
/// in which SQLite alone takes the rows into the tablet's tables, a page in each transaction.
pub async fn measure(folder: TempDir) -> Result<()> {
    let data = folder.path().join("hub");
    let operations = plant(&data, ESTATE).await?;
    let hub = Hub::start(&data, 0).await?;
    let tablet = Tablet::join(&folder.path().join("tablet"), &hub, &hub.url()).await?;
    let database = folder.path().join("tablet/standpipe.db");
    let before = Before::of(&database, folder.path().join("bare.db"))?;
    let mut sync = tablet.begin()?;
    sync.in_step().await?;
    let seconds = sync.elapsed().as_secs_f64();
    sync.stop();
    hub.stop()?;
    let (_, cursor) = tablet.engine.store().cursor()?;
    ensure!(cursor == operations, "the tablet holds {cursor} operations of {operations}");
    let sql = "SELECT sum(octet_length(body)) FROM op";
    let bytes: usize = Connection::open(&database)?.query_row(sql, [], |row| row.get(0))?;
    let bare = before.add(
        &database,
        &["op", "receipt", "stop", "asset"],
        bytes.div_ceil(LARGEST),
        Settings::TABLET,
    )?;
    let more = json!({
        "bare": rounded(bare), "assets": ESTATE.assets, "checks": ESTATE.checks, "operations": operations,
    });
    report("pull_new_tablet", seconds, "s", more);
    Ok(())
}
