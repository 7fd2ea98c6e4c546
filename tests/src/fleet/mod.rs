//! A hub and several tablets as processes, which are killed while they work; and whether all of them then hold the same.

mod compare;
mod kills;
mod office;
pub mod rows;
mod settle;
mod story;

pub use compare::Held;
pub use kills::{Killed, Kills};
pub use office::{Answered, Desk};
pub use story::{Network, Played, play};

use crate::hub::Hub;
use crate::journal::Saved;
use crate::process::{Process, binary, own_port};
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use standpipe_domain::sync::SyncLine;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use uuid::Uuid;

/// How many tablets there are.
pub const TABLETS: usize = 3;
/// What a tablet's process says once everything that was saved is there.
pub const READY: &str = "ready";
/// What it says at its end, when it shows what its log says.
pub const WHOLE: &str = "whole";
/// Nothing takes this long: it ends a run that hangs.
const AT_MOST: Duration = Duration::from_secs(180);

/// How a tablet stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub line: SyncLine,
    /// How far it has pulled.
    pub cursor: u64,
    /// The sum over what it has pulled, as its bits.
    pub checksum: i64,
}

/// One of the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    Hub,
    Tablet(usize),
}

/// What the tablets' processes do from their next start on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Somebody works: whether the owners are there to sign.
    Work { signs: bool },
    /// They only sync.
    Rest,
}

/// A hub and its tablets, in a folder.
pub struct Fleet {
    home: PathBuf,
    address: SocketAddr,
    hub: Option<Process>,
    tablets: [Option<Process>; TABLETS],
    pub mode: Mode,
    /// Settings of the hub from its next start on, beside those that it needs.
    pub settings: Vec<(&'static str, String)>,
    dice: fastrand::Rng,
    /// What the hub had set aside before.
    set_aside: BTreeMap<Uuid, String>,
}

impl Fleet {
    /// Founds a hub with the demonstration estate in `home`, and lets the tablets join it at the address that `seen_at`
    /// makes of its own. Nothing runs when this returns.
    pub async fn found(
        home: &Path,
        seed: u64,
        seen_at: impl AsyncFnOnce(SocketAddr) -> Result<SocketAddr>,
    ) -> Result<Self> {
        let hub = Hub::start(&home.join("hub"), own_port()?).await?;
        let seen = format!("http://{}", seen_at(hub.address).await?);
        let mut fleet = Self {
            home: home.to_owned(),
            address: hub.address,
            hub: None,
            tablets: [const { None }; TABLETS],
            mode: Mode::Rest,
            settings: Vec::new(),
            dice: fastrand::Rng::with_seed(seed),
            set_aside: BTreeMap::new(),
        };
        for number in 0..TABLETS {
            let code = hub.enrolment_code()?;
            fleet.start_tablet(number, &["--hub", &seen, "--code", &code])?;
            fleet.wait_for_ready(number)?;
        }
        fleet.end_tablets()?;
        hub.stop()?;
        Ok(fleet)
    }

    /// A fleet on folders that are there already, `hub` and `tablet-0` to `tablet-2`.
    pub fn within(home: &Path, address: SocketAddr) -> Result<Self> {
        Ok(Self {
            home: home.to_owned(),
            address,
            hub: None,
            tablets: [const { None }; TABLETS],
            mode: Mode::Rest,
            settings: Vec::new(),
            dice: fastrand::Rng::with_seed(0),
            set_aside: rows::quarantine(&rows::database(&home.join("hub"))?)?,
        })
    }

    /// Where the hub's database and photos are.
    pub fn hub_folder(&self) -> PathBuf {
        self.home.join("hub")
    }

    /// A tablet's folder.
    pub fn tablet_folder(&self, number: usize) -> PathBuf {
        self.home.join(format!("tablet-{number}"))
    }

    fn journal(&self, number: usize) -> PathBuf {
        self.home.join(format!("tablet-{number}.journal"))
    }

    /// What the tablet's screens have said is saved.
    pub fn saved(&self, number: usize) -> Result<Saved> {
        Saved::read(&self.journal(number))
    }

    fn log(&self, machine: Machine) -> PathBuf {
        match machine {
            Machine::Hub => self.home.join("hub.log"),
            Machine::Tablet(number) => self.home.join(format!("tablet-{number}.log")),
        }
    }

    /// Starts one of them, and does not wait for it.
    pub fn start(&mut self, machine: Machine) -> Result<()> {
        match machine {
            Machine::Hub => {
                let log = File::options().create(true).append(true).open(self.log(machine))?;
                let mut command = Command::new(binary("standpipe-hub")?);
                command.arg("serve").arg("--data").arg(self.hub_folder());
                command.args(["--listen", &self.address.to_string()]).env("STANDPIPE_LOG", "warn");
                command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
                command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
                self.hub = Some(Process::start("standpipe-hub", &mut command)?);
            }
            Machine::Tablet(number) => {
                let seed = self.dice.u64(..).to_string();
                match self.mode {
                    Mode::Work { signs } => {
                        let mut more = vec!["--work", seed.as_str()];
                        more.extend(signs.then_some("--signs"));
                        self.start_tablet(number, &more)?;
                    }
                    Mode::Rest => self.start_tablet(number, &[])?,
                }
            }
        }
        Ok(())
    }

    /// Starts all of them.
    pub fn start_all(&mut self) -> Result<()> {
        self.start(Machine::Hub)?;
        self.start_tablets()
    }

    /// Starts every tablet.
    pub fn start_tablets(&mut self) -> Result<()> {
        (0..TABLETS).try_for_each(|number| self.start(Machine::Tablet(number)))
    }

    /// Where the hub listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn start_tablet(&mut self, number: usize, more: &[&str]) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log(Machine::Tablet(number)))?;
        let mut command = Command::new(binary("standpipe-test-tablet")?);
        command.arg("--data").arg(self.tablet_folder(number)).arg("--journal").arg(self.journal(number));
        // The error is the last thing that it says.
        command.args(more).env("RUST_BACKTRACE", "0").stdin(Stdio::piped()).stderr(log);
        self.tablets[number] = Some(Process::start_reading(&format!("tablet {number}"), &mut command)?);
        Ok(())
    }

    fn wait_for_ready(&self, number: usize) -> Result<()> {
        let tablet = self.tablets[number].as_ref().context("the tablet runs")?;
        tablet.wait_for(AT_MOST, |line| (line == READY).then_some(()))
    }

    fn process(&mut self, machine: Machine) -> &mut Option<Process> {
        match machine {
            Machine::Hub => &mut self.hub,
            Machine::Tablet(number) => &mut self.tablets[number],
        }
    }

    /// Kills one of them, wherever it stands.
    pub fn kill(&mut self, machine: Machine) -> Result<()> {
        self.process(machine).take().context("it runs")?.kill()
    }

    /// Nobody has ended by themselves.
    ///
    /// # Errors
    /// With the end of what it said, when one has.
    pub fn all_run(&mut self) -> Result<()> {
        for machine in machines() {
            let Some(process) = self.process(machine) else { continue };
            if let Some(how) = process.ended()? {
                bail!(
                    "{machine:?} ended by itself, with {how}; it said last:\n{}",
                    tail(&self.log(machine))?
                );
            }
        }
        Ok(())
    }

    /// Lets the tablets that run end in order.
    pub fn end_tablets(&mut self) -> Result<()> {
        for number in 0..TABLETS {
            let Some(tablet) = self.tablets[number].take() else { continue };
            let how = tablet.finish()?;
            let said = || tail(&self.log(Machine::Tablet(number)));
            ensure!(how.success(), "tablet {number} ended with {how}; it said last:\n{}", said()?);
        }
        Ok(())
    }

    /// Stops the hub in order.
    pub fn end_hub(&mut self) -> Result<()> {
        let hub = self.hub.take().context("the hub runs")?;
        ensure!(
            hub.stop()?,
            "the hub did not shut down cleanly; it said last:\n{}",
            tail(&self.log(Machine::Hub))?
        );
        Ok(())
    }
}

/// All of them.
pub fn machines() -> impl Iterator<Item = Machine> {
    [Machine::Hub].into_iter().chain((0..TABLETS).map(Machine::Tablet))
}

fn tail(log: &Path) -> Result<String> {
    let said = fs::read_to_string(log)?;
    let lines: Vec<_> = said.lines().collect();
    Ok(lines[lines.len().saturating_sub(10)..].join("\n"))
}
