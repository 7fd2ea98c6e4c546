//! What many records cost on the wire.

use crate::estate::{must_hold, plant};
use crate::link::Link;
use crate::push_records::{ESTATE, RECORDS};
use crate::tablet::Tablet;
use anyhow::{Context, Result};
use serde_json::json;
use standpipe_device::testing::figure::{report, rounded};
use standpipe_tests::hub::Hub;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// The level that pushes are compressed at.
const LEVEL: i32 = 3;

/// The bytes on the connection in both directions, from the greeting until the hub has acknowledged all records, against
/// the records' JSON in one piece, compressed. `with_numbers` is the same until the tablet has fetched the hub's numbers
/// of them, which come with the records themselves.
pub async fn measure(folder: TempDir) -> Result<()> {
    let data = folder.path().join("hub");
    let planted = plant(&data, ESTATE).await?;
    let hub = Hub::start(&data, 0).await?;
    let link = Link::to(hub.address, None).await?;
    let tablet = Tablet::join(&folder.path().join("tablet"), &hub, &link.url()).await?;
    let mut sync = tablet.begin()?;
    sync.in_step().await?;
    sync.stop();
    tablet.answer(0, RECORDS as usize)?;
    let bodies = tablet.waiting()?;
    let packed = zstd::bulk::compress(bodies.join("\n").as_bytes(), LEVEL)?.len();

    let counts = Arc::clone(&link.counts);
    let total = move |of: &AtomicU64, and: &AtomicU64| of.load(Relaxed) + and.load(Relaxed);
    let before = total(&counts.up, &counts.down);
    let sent = Arc::new(OnceLock::new());
    let (seen, at) = (Arc::clone(&counts), Arc::clone(&sent));
    // On the driver's own thread: it has asked for nothing else yet.
    let mut sync = tablet.begin_telling(move |line| {
        if line.records == 0 {
            at.get_or_init(|| total(&seen.up, &seen.down));
        }
    })?;
    sync.in_step().await?;
    let with_numbers = total(&counts.up, &counts.down) - before;
    sync.stop();
    hub.stop()?;
    must_hold(&data, planted + u64::from(RECORDS), 0).await?;
    let sent = sent.get().context("the tablet says that the records are sent")? - before;
    #[expect(clippy::cast_precision_loss)]
    let against = |bytes: u64| bytes as f64 / packed as f64;
    let more = json!({
        "records": RECORDS, "bytes": sent, "packed_bytes": packed,
        "json_bytes": bodies.iter().map(|body| body.len()).sum::<usize>(),
        "with_numbers": rounded(against(with_numbers)),
    });
    report("wire", against(sent), "ratio", more);
    Ok(())
}
