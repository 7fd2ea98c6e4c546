//! Photos and records over a link that cuts every connection.

use crate::estate::{must_hold, plant};
use crate::link::Link;
use crate::tablet::{Tablet, random};
use anyhow::{Result, ensure};
use serde_json::json;
use standpipe_device::testing::figure::{report, rounded};
use standpipe_device::testing::large::Large;
use standpipe_tests::hub::Hub;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tempfile::TempDir;

const CUT_AFTER: u64 = 3_000_000;
const PHOTOS: u32 = 3;
const PHOTO: usize = 4_000_000;
const RECORDS: u32 = 20;

/// The seconds until the hub has verified the photos and holds the records, and what was sent for it. That a photo is
/// attached is a record too, which is not counted among them.
pub async fn measure(folder: TempDir) -> Result<()> {
    let data = folder.path().join("hub");
    let planted = plant(&data, Large { assets: 10, checks: 10, open: 10 }).await?;
    let hub = Hub::start(&data, 0).await?;
    let link = Link::to(hub.address, Some(CUT_AFTER)).await?;
    let tablet = Tablet::join(&folder.path().join("tablet"), &hub, &link.url()).await?;
    let mut sync = tablet.begin()?;
    sync.in_step().await?;
    sync.stop();
    for n in 0..PHOTOS {
        tablet.photo(n, &random(PHOTO))?;
    }
    tablet.answer(0, RECORDS as usize)?;
    let records: usize = tablet.waiting()?.iter().map(|body| body.len()).sum();
    let photos = u64::from(PHOTOS) * PHOTO as u64;
    let payload = photos + records as u64;

    let (sent, cuts) = (link.counts.up.load(Relaxed), link.counts.cuts.load(Relaxed));
    let overtaken = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&overtaken);
    let mut sync = tablet.begin_telling(move |line| {
        seen.fetch_or(line.records > 0 && line.bytes < photos, Relaxed);
    })?;
    sync.photos_sent().await?;
    let seconds = sync.elapsed().as_secs_f64();
    let (sent, cuts) = (link.counts.up.load(Relaxed) - sent, link.counts.cuts.load(Relaxed) - cuts);
    sync.stop();
    hub.stop()?;
    must_hold(&data, planted + u64::from(RECORDS + PHOTOS), u64::from(PHOTOS)).await?;
    ensure!(!overtaken.load(Relaxed), "a photo was sent while records waited");
    ensure!(cuts > 0, "no connection was cut");
    #[expect(clippy::cast_precision_loss)]
    let ratio = sent as f64 / payload as f64;
    let more = json!({
        "photos": PHOTOS, "records": RECORDS, "ratio": rounded(ratio), "seconds": rounded(seconds),
        "records_first": true, "cuts": cuts, "cut_after": CUT_AFTER, "sent_bytes": sent, "payload_bytes": payload,
    });
    report("cutlink", seconds, "s", more);
    Ok(())
}
