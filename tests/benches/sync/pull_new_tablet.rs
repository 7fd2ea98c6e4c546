//! What a new tablet waits for.

use crate::estate::plant;
use crate::tablet::Tablet;
use anyhow::{Result, ensure};
use serde_json::json;
use standpipe_device::testing::figure::report;
use standpipe_device::testing::large::Large;
use standpipe_tests::hub::Hub;
use tempfile::TempDir;

const ESTATE: Large = Large { assets: 10_000, checks: 100_000, open: 1_000 };

/// The seconds from the greeting until a new tablet holds the whole estate, durably, and both sums agree.
pub async fn measure(folder: TempDir) -> Result<()> {
    let data = folder.path().join("hub");
    let operations = plant(&data, ESTATE).await?;
    let hub = Hub::start(&data, 0).await?;
    let tablet = Tablet::join(&folder.path().join("tablet"), &hub, &hub.url()).await?;
    let mut sync = tablet.begin()?;
    sync.in_step().await?;
    let seconds = sync.elapsed().as_secs_f64();
    sync.stop();
    hub.stop()?;
    let (_, cursor) = tablet.engine.store().cursor()?;
    ensure!(cursor == operations, "the tablet holds {cursor} operations of {operations}");
    let more = json!({ "assets": ESTATE.assets, "checks": ESTATE.checks, "operations": operations });
    report("pull_new_tablet", seconds, "s", more);
    Ok(())
}
