//! A tablet of two estates, with real processes: nothing is lost by joining, by switching, or by leaving.

use anyhow::{Context, Result};
use standpipe_tests::process::in_folder;
use standpipe_tests::sites::play;
use std::time::Duration;

/// Nothing in it takes this long: it ends a run that hangs.
const AT_MOST: Duration = Duration::from_mins(10);

#[tokio::test]
async fn a_second_estate_is_joined_and_the_first_is_left_while_its_office_is_away() -> Result<()> {
    in_folder(async |home| tokio::time::timeout(AT_MOST, play(home)).await.context("it hangs")?).await
}
