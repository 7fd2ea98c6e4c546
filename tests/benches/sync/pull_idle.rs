//! A pull with nothing new, at a hub that holds little and at one that holds much.

use crate::estate::plant;
use crate::tablet::Tablet;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use standpipe_device::sync::Outside;
use standpipe_device::sync::hub_client::HubClient;
use standpipe_device::testing::figure::{percentile, report, rounded};
use standpipe_device::testing::large::Large;
use standpipe_device::world::RealWorld;
use standpipe_tests::hub::Hub;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// With the demonstration's own 1,000 operations.
const FEW: Large = Large { assets: 300, checks: 609, open: 609 };
/// With the demonstration's own 1,000,000 operations.
const MANY: Large = Large { assets: 10_000, checks: 979_634, open: 979_634 };
const PULLS: usize = 500;

/// Milliseconds, the median at the hub that holds much: the request, and that the tablet has written down where it
/// stands. Both hubs are asked by turns.
pub async fn measure(folder: TempDir) -> Result<()> {
    let mut few = Idle::at(&folder.path().join("few"), FEW).await?;
    let mut many = Idle::at(&folder.path().join("many"), MANY).await?;
    for _ in 0..PULLS {
        few.pull().await?;
        many.pull().await?;
    }
    let (value, baseline) = (percentile(&mut many.whole, 0.5), percentile(&mut few.whole, 0.5));
    let more = json!({
        "operations": many.operations, "few_operations": few.operations, "few": rounded(baseline),
        "ratio": rounded(value / baseline), "request": rounded(percentile(&mut many.requests, 0.5)),
        "few_request": rounded(percentile(&mut few.requests, 0.5)), "percentile_99": rounded(percentile(&mut many.whole, 0.99)),
        "pulls": PULLS,
    });
    report("pull_idle", value, "ms", more);
    few.hub.stop()?;
    many.hub.stop()?;
    Ok(())
}

/// A hub, and a tablet that has seen everything there.
struct Idle {
    hub: Hub,
    operations: u64,
    tablet: Tablet,
    client: HubClient,
    requests: Vec<Duration>,
    whole: Vec<Duration>,
}

impl Idle {
    async fn at(folder: &Path, large: Large) -> Result<Self> {
        let data = folder.join("hub");
        let operations = plant(&data, large).await?;
        let hub = Hub::start(&data, 0).await?;
        let tablet = Tablet::join(&folder.join("tablet"), &hub, &hub.url()).await?;
        let identity = tablet.engine.store().identity()?.context("the tablet is enrolled")?;
        let outside = Outside::network(Arc::new(RealWorld));
        let client = HubClient::new(&identity.hub, Some(identity.token), &outside)?;
        // Only the last page: the tablet's own work does not depend on how many it holds.
        let (head, page) = client.pull(operations - 1).await?;
        ensure!(head.next == operations && page.len() == 1, "the last page is not the last");
        tablet.engine.store().apply_page(&head, &page)?;
        Ok(Self { hub, operations, tablet, client, requests: Vec::new(), whole: Vec::new() })
    }

    async fn pull(&mut self) -> Result<()> {
        let began = Instant::now();
        let (head, page) = self.client.pull(self.operations).await?;
        let request = began.elapsed();
        ensure!(head.next == self.operations && page.is_empty(), "there was something new: {head:?}");
        self.tablet.engine.store().apply_page(&head, &page)?;
        self.whole.push(began.elapsed());
        self.requests.push(request);
        Ok(())
    }
}
