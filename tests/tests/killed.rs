//! A hub and three tablets as processes, killed at random while they work: nothing that was saved is lost, and in the end
//! all show the same.

use anyhow::{Result, ensure};
use standpipe_tests::fleet::{Kills, Network, play};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_two_hundred_times_they_lose_nothing_and_agree() -> Result<()> {
    let played = play(Kills { seed: 20_230_701, count: 200, pause: 200, signs: true }, Network::Good).await?;
    // Otherwise the kills hit nobody at work.
    let kills = u64::from(played.killed.times.values().sum::<u32>());
    ensure!(
        played.killed.ops > 2 * kills && played.killed.photos > kills / 40,
        "too little came: {played:?}"
    );
    ensure!(played.moved > 0 && played.held.issues > 0, "the office did nothing: {played:?}");
    Ok(())
}
