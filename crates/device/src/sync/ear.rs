//! Listens for the hub's pokes, so that what the office writes arrives at once and not within a minute.

use super::driver::Sleep;
use super::fault::Fault;
use super::hub_client::HubClient;
use super::pace::Pace;
use super::standing::Standing;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A stream that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(30);

/// Listens to whichever hub was reached last, until dropped.
pub(super) async fn listen(
    standing: Arc<Standing>,
    mut reached: watch::Receiver<Option<Arc<HubClient>>>,
    sleep: Sleep,
) {
    let mut pace = Pace::default();
    loop {
        let Ok(hub) = reached.wait_for(Option::is_some).await.map(|hub| hub.clone()) else { return };
        let Some(hub) = hub else { continue };
        let world = standing.store.world();
        let began = world.elapsed();
        let ended = tokio::select! {
            biased;
            ended = hear(&standing, &hub) => ended,
            _ = reached.changed() => continue,
        };
        if let Err(fault) = ended {
            tracing::debug!(code = fault.code(), "{fault}");
        }
        if world.elapsed().saturating_sub(began) >= GOOD {
            pace.reset();
        }
        sleep(pace.pause(standing.dice(), false)).await;
    }
}

async fn hear(standing: &Standing, hub: &HubClient) -> Result<(), Fault> {
    let mut events = hub.events().await?;
    let ended = loop {
        match events.next().await {
            Ok(Some(event)) if event == "changed" => standing.poke(),
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
    };
    // The hub may have gone, and the line says that it is there: look.
    standing.due().greet = true;
    standing.woken.notify_one();
    ended
}
