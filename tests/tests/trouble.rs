//! What goes wrong in the field, with real processes: nothing that was recorded is lost, and the screen says what it is.

use anyhow::{Context, Result};
use standpipe_tests::process::in_folder;
use standpipe_tests::trouble::play;
use std::time::Duration;

/// Nothing in it takes this long: it ends a run that hangs.
const AT_MOST: Duration = Duration::from_mins(15);

#[tokio::test]
async fn bad_files_a_wrong_server_and_a_withdrawn_tablet() -> Result<()> {
    in_folder(async |home| tokio::time::timeout(AT_MOST, play(home)).await.context("it hangs")?).await
}
