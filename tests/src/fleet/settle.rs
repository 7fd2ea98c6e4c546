//! Waits until everything has arrived everywhere.

use super::{AT_MOST, Fleet, Machine, READY, Standing, TABLETS, WHOLE, rows, tail};
use crate::process::{Process, eventually};
use anyhow::{Context, Result, ensure};
use standpipe_domain::sync::SyncState;

impl Fleet {
    /// Once nobody works any more: waits until every tablet says that all is safe and has pulled what the hub has, and
    /// ends them. The hub runs on. Gives how the tablets stood.
    pub async fn settle(&mut self) -> Result<Vec<Standing>> {
        let mut standings: [Option<Standing>; TABLETS] = [const { None }; TABLETS];
        let hub = self.hub_folder();
        let settled = eventually("all is safe everywhere", AT_MOST, || {
            let seen = self.all_run().and_then(|()| {
                for (tablet, standing) in self.tablets.iter().zip(&mut standings) {
                    let mut said = tablet.iter().flat_map(Process::said).filter(|line| line != READY);
                    if let Some(last) = said.next_back() {
                        *standing = Some(serde_json::from_str(&last).context(last)?);
                    }
                }
                let (head, sum) = rows::head(&rows::database(&hub)?)?;
                let is_settled = |standing: &Option<Standing>| {
                    standing.as_ref().is_some_and(|standing| {
                        let Standing { line, cursor, checksum } = standing;
                        let is_done = line.records == 0 && line.photos == 0 && line.trouble.is_none();
                        let is_well = matches!(line.state, SyncState::Safe | SyncState::NeedsAttention);
                        is_done && is_well && (*cursor, *checksum) == (head, sum)
                    })
                };
                ensure!(
                    standings.iter().all(is_settled),
                    "the hub is at {head}; the tablets: {standings:#?}"
                );
                Ok(())
            });
            std::future::ready(seen)
        });
        settled.await?;
        for number in 0..TABLETS {
            // What it finds of itself at its end, its exit status tells.
            self.tablets[number].as_mut().context("the tablet runs")?.close_input();
        }
        for number in 0..TABLETS {
            let tablet = self.tablets[number].as_ref().context("the tablet runs")?;
            let whole = tablet.wait_for(AT_MOST, |line| (line == WHOLE).then_some(()));
            let said = || tail(&self.log(Machine::Tablet(number)));
            if let Err(error) = whole {
                return Err(error.context(said()?));
            }
        }
        self.end_tablets()?;
        Ok(standings.into_iter().flatten().collect())
    }
}
