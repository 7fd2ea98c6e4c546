//! As `killed`, over a network that cuts, delays, and delivers requests late.

use anyhow::{Result, ensure};
use standpipe_tests::fleet::{Kills, Network, play};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_network_that_cuts_and_delivers_late_they_lose_nothing_and_agree() -> Result<()> {
    let played =
        play(Kills { seed: 20_230_702, count: 200, pause: 1_200, signs: true }, Network::Bad).await?;
    // Otherwise the network was not bad, or nothing came through it.
    ensure!(played.cuts > 30 && played.late > 10, "the network did too little: {played:?}");
    ensure!(played.held.sign_offs > 0, "nobody signed: {played:?}");
    ensure!(played.killed.ops > 200, "too little came: {played:?}");
    Ok(())
}
