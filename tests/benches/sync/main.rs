//! Measures tablets and a hub together: the real hub as a process of its own, real tablets' engines, real connections on
//! this machine, real files under `target/tmp`. Prints one line of JSON for each figure.
//!
//! Run with a name (`cutlink`, `push_records`, …) it measures that one only. A figure whose counts are not what they
//! should be is an error and no figure.

mod bare;
mod cutlink;
mod estate;
mod link;
mod nginx;
mod pull_idle;
mod pull_new_tablet;
mod push_mixed;
mod push_photos;
mod push_records;
mod restore;
mod tablet;
mod wire;

use anyhow::{Result, ensure};
use futures::future::LocalBoxFuture;
use tempfile::TempDir;

/// A name, and what measures it in a fresh folder.
type Figure = (&'static str, fn(TempDir) -> LocalBoxFuture<'static, Result<()>>);

const FIGURES: [Figure; 8] = [
    ("cutlink", |folder| Box::pin(cutlink::measure(folder))),
    ("push_records", |folder| Box::pin(push_records::measure(folder))),
    ("push_photos", |folder| Box::pin(push_photos::measure(folder))),
    ("push_mixed", |folder| Box::pin(push_mixed::measure(folder))),
    ("pull_new_tablet", |folder| Box::pin(pull_new_tablet::measure(folder))),
    ("pull_idle", |folder| Box::pin(pull_idle::measure(folder))),
    ("wire", |folder| Box::pin(wire::measure(folder))),
    ("restore", |folder| Box::pin(restore::measure(folder))),
];

#[tokio::main]
async fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut failed = Vec::new();
    for (name, measure) in FIGURES {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        // Not in the system's folder for temporary files: that may be in memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        if let Err(error) = measure(folder).await {
            eprintln!("{name}: {error:#}");
            failed.push(name);
        }
    }
    ensure!(failed.is_empty(), "not measured: {}", failed.join(", "));
    Ok(())
}
