//! The story that users tell, with real processes: the app in its window, the hub, a browser.

use anyhow::{Context, Result};
use standpipe_tests::display::Display;
use standpipe_tests::hub::Hub;
use standpipe_tests::process::in_folder;
use standpipe_tests::story::{Stage, play};
use std::time::Duration;

/// Nothing in the story takes this long: it ends a run that hangs.
const AT_MOST: Duration = Duration::from_mins(15);

#[tokio::test]
async fn one_inspection_recorded_offline_signed_synced_and_answered() -> Result<()> {
    in_folder(async |home| {
        let pictures = std::env::var_os("STANDPIPE_PICTURES").map(Into::into);
        let stage = Stage { home: home.to_owned(), pictures, say: |line| println!("{line}") };
        let display = Display::start(1400, 1000)?;
        let hub = Hub::start(&home.join("hub"), 0).await?;
        let story = tokio::time::timeout(AT_MOST, play(&stage, &display, hub)).await;
        story.context("the story hangs")??.stop()?;
        Ok(())
    })
    .await
}
