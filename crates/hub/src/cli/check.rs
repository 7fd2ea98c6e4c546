//! `standpipe-hub verify`

use super::{Failed, say};
use crate::blobs::{Blobs, Book, Health};
use crate::world::RealWorld;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use std::sync::Arc;

/// How many photos are asked for at once.
const PAGE: usize = 256;

pub async fn verify(data: &Path, book: Arc<dyn Book>, withdraw: bool) -> Result<(), Failed> {
    let blobs = Blobs::beside(data, book, Arc::new(RealWorld))?;
    // Drawn on standard error, and only in a terminal.
    let progress = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{pos} photos, {msg} read, {elapsed}") {
        progress.set_style(style);
    }
    let (mut after, mut bytes, mut missing, mut spoilt) = (None, 0, 0, 0);
    loop {
        let page = blobs.check(after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.sha256);
        for (blob, health) in page {
            let what = match health {
                Health::Whole => {
                    bytes += blob.bytes;
                    progress.inc(1);
                    progress.set_message(indicatif::HumanBytes(bytes).to_string());
                    continue;
                }
                Health::Missing => {
                    missing += 1;
                    "missing"
                }
                Health::Spoilt => {
                    spoilt += 1;
                    "spoilt"
                }
            };
            progress.suspend(|| say(&format!("{what} {} {} bytes", blob.sha256, blob.bytes)));
            if withdraw {
                blobs.withdraw(blob.sha256).await?;
            }
        }
    }
    let whole = progress.position();
    progress.finish_and_clear();
    say(&format!("{whole} photos are whole, {missing} missing, {spoilt} spoilt"));
    if missing + spoilt > 0 { Err(Failed::NotWhole { missing, spoilt }) } else { Ok(()) }
}
