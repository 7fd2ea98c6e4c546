//! Kills one after another, while everybody works.

use super::{AT_MOST, Fleet, Machine, Mode, machines, rows};
use crate::process::eventually;
use anyhow::{Result, ensure};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// So many kills, drawn from a seed.
#[derive(Clone, Copy, Debug)]
pub struct Kills {
    /// Decides who is killed, and what people do.
    pub seed: u64,
    /// How many.
    pub count: u32,
    /// The longest pause before one, in milliseconds.
    pub pause: u64,
    /// Whether the owners come for the last third of it, to sign.
    pub signs: bool,
}

/// What happened meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Killed {
    /// How often each of them.
    pub times: BTreeMap<Machine, u32>,
    /// Operations and photos that had come to the hub when the last kill was over, and nobody rested yet.
    pub ops: u64,
    /// See `ops`.
    pub photos: u64,
}

impl Kills {
    /// Kills in turn whichever the dice name: half of them right at their start, the others once they have done
    /// something since.
    pub async fn among(self, fleet: &mut Fleet) -> Result<Killed> {
        let Self { seed, count, pause, signs } = self;
        let mut dice = Rng::with_seed(seed);
        let mut killed = Killed::default();
        fleet.mode = Mode::Work { signs: false };
        fleet.start_all()?;
        let mut at_start: BTreeMap<Machine, u64> = machines().map(|machine| (machine, 0)).collect();
        for number in 0..count {
            if signs && number == count / 3 * 2 {
                fleet.mode = Mode::Work { signs: true };
            }
            fleet.all_run()?;
            let victim = dice.choice(machines().collect::<Vec<_>>()).unwrap_or(Machine::Hub);
            if dice.bool() {
                let before = at_start[&victim];
                eventually(&format!("{victim:?} does something"), AT_MOST, || {
                    let worked = fleet.all_run().map(|()| fleet.trace_of(victim));
                    std::future::ready(worked.and_then(|now| {
                        ensure!(now > before, "it has not");
                        Ok(())
                    }))
                })
                .await?;
            }
            // The moment is any; nothing is waited for.
            tokio::time::sleep(Duration::from_millis(dice.u64(..pause))).await;
            fleet.kill(victim)?;
            *killed.times.entry(victim).or_default() += 1;
            if victim == Machine::Hub {
                tokio::time::sleep(Duration::from_millis(dice.u64(..200))).await;
            }
            at_start.insert(victim, fleet.trace_of(victim));
            fleet.start(victim)?;
        }
        let hub = rows::database(&fleet.hub_folder())?;
        killed.ops = hub.query_row("SELECT count(*) FROM op", [], |row| row.get(0))?;
        killed.photos = hub.query_row("SELECT count(*) FROM blob", [], |row| row.get(0))?;
        Ok(killed)
    }
}

impl Fleet {
    /// Grows with whatever one of them does: a tablet's journal, or what the hub says that it listens.
    fn trace_of(&self, machine: Machine) -> u64 {
        let path = match machine {
            Machine::Hub => self.log(machine),
            Machine::Tablet(number) => self.journal(number),
        };
        fs::metadata(path).map_or(0, |file| file.len())
    }
}
