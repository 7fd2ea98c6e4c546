//! One inspection from end to end. Nothing here is a stand-in: the app runs in its window, the hub is a process, the
//! office's browser is Chromium.

use anyhow::Result;
use standpipe_tests::display::Display;
use standpipe_tests::hub::Hub;
use standpipe_tests::story::{Stage, play};

#[tokio::test]
async fn one_inspection_from_the_cellar_to_the_office_and_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let home = folder.path().to_owned();
    let display = Display::start(1400, 1000)?;
    let pictures = std::env::var_os("STANDPIPE_PICTURES").map(Into::into);
    let hub = Hub::start(&home.join("hub"), 0).await?;
    let stage = Stage { home, pictures, say: |line| println!("{line}") };
    let hub = play(&stage, &display, hub).await?;
    hub.stop()?;
    Ok(())
}
