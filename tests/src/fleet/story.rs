//! They work and are killed, they rest, and everything is demanded of everybody.

use super::{Answered, Desk, Fleet, Held, Killed, Kills, Mode};
use crate::process::in_folder;
use crate::proxy::Proxy;
use anyhow::{Context, Result};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::oneshot;

/// What lies between the tablets and the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nothing but the machine itself.
    Good,
    /// While people work.
    Bad,
}

/// What happened, in numbers.
#[derive(Debug)]
pub struct Played {
    /// Who was killed, and what had come until then.
    pub killed: Killed,
    /// What the hub holds in the end.
    pub held: Held,
    /// Issues that the office has moved on.
    pub moved: usize,
    /// Connections that the network cut, and requests that it delivered late.
    pub cuts: u64,
    /// See `cuts`.
    pub late: u64,
}

/// Plays it with the seed and the number of kills that `usual` names, unless `STANDPIPE_SEED` and `STANDPIPE_KILLS` name
/// others. The seed decides who is killed, and what people and the network do; when exactly each kill comes is up to the
/// machine.
///
/// # Errors
/// With the first promise that was broken, and the folder that holds every database and what everybody said.
pub async fn play(usual: Kills, network: Network) -> Result<Played> {
    let seed = number("STANDPIPE_SEED")?.unwrap_or(usual.seed);
    let count = number("STANDPIPE_KILLS")?.map_or(Ok(usual.count), u32::try_from)?;
    println!("STANDPIPE_SEED={seed} STANDPIPE_KILLS={count}");
    let kills = Kills { seed, count, ..usual };
    let played = in_folder(async |home| play_in(home, kills, network).await).await?;
    println!("{played:?}");
    Ok(played)
}

async fn play_in(home: &Path, kills: Kills, network: Network) -> Result<Played> {
    let mut proxy = None;
    let mut fleet = Fleet::found(home, kills.seed, async |hub| {
        if network == Network::Good {
            return Ok(hub);
        }
        Ok(proxy.insert(Proxy::start(hub, kills.seed).await?).address)
    })
    .await?;
    let (end, ended) = oneshot::channel::<()>();
    let desk = Desk::new(fleet.address(), kills.seed)?;
    // Ends when `end` is dropped, also where something fails.
    let office = tokio::spawn(desk.work(async { drop(ended.await) }));
    if let Some(proxy) = &proxy {
        proxy.be_bad(true);
    }
    let killed = kills.among(&mut fleet).await?;
    drop(end);
    let answered: Answered = office.await?;
    fleet.end_tablets()?;
    if let Some(proxy) = &proxy {
        proxy.be_bad(false);
    }
    fleet.mode = Mode::Rest;
    fleet.start_tablets()?;
    let standings = fleet.settle().await?;
    fleet.end_hub()?;
    let held = fleet.compare(&standings, &answered)?;
    let (cuts, late) = proxy
        .as_ref()
        .map_or((0, 0), |proxy| (proxy.count().cuts.load(Relaxed), proxy.count().late.load(Relaxed)));
    Ok(Played { killed, held, moved: answered.len(), cuts, late })
}

fn number(name: &str) -> Result<Option<u64>> {
    let value = std::env::var(name).ok();
    value.map(|value| value.parse().with_context(|| format!("{name}={value}"))).transpose()
}
