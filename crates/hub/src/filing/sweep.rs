//! Looks through all that a tracker has of the hub's issues: what is there twice, what was found again, what is gone.

use super::{Filer, NotNow};
use crate::store::StoreError;
use standpipe_bridge::Filing;
use standpipe_bridge::redmine::Standing;
use standpipe_bridge::twins::twins;
use standpipe_domain::ids::IssueId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most issues that are asked for singly in one sweep.
const SINGLY: usize = 100;
/// After so many questions in a row that brought no word the rest waits for the next sweep.
const SILENT: usize = 3;

impl Filer {
    /// Looks through everything that carries a mark: one stands for each issue, and others are closed. Marks that no issue of
    /// this hub has are somebody else's. What the tracker should have and did not show is asked for singly. Gives whether
    /// nothing of it was left open.
    pub(super) async fn sweep(&mut self) -> Result<bool, NotNow> {
        let tracker = Arc::clone(&self.tracker);
        let redmine = &tracker.redmine;
        let (mut marked, mut offset) = (Vec::new(), Some(0));
        while let Some(at) = offset {
            let (status, body) = self.ask(redmine.page(at)).await?;
            let (mut page, next) = redmine.marked(at, status, &body)?;
            marked.append(&mut page);
            offset = next;
        }
        let known: BTreeMap<IssueId, Filing> = self.store.filings().await?.into_iter().collect();
        marked.retain(|found| known.contains_key(&found.issue));
        let (stands, others) = twins(&marked);
        let missed = known.iter().filter_map(|(issue, filing)| match filing {
            Filing::Filed(number) if !stands.contains_key(issue) => Some((*issue, *number)),
            _ => None,
        });
        let missed = missed.collect();
        for (issue, number) in stands {
            let filed = Filing::Filed(number);
            if known.get(&issue) != Some(&filed) {
                self.store.file(issue, filed).await?;
                self.deliveries.remove(&issue);
            }
        }
        let mut is_done = true;
        for twin in others {
            let (status, _) = self.ask(redmine.close(twin)).await?;
            tracing::warn!(status, twin.number, twin.of, "an issue was in the outside tracker twice");
            is_done &= (200..300).contains(&status);
        }
        Ok(self.ask_for(missed).await? && is_done)
    }

    /// Asks singly for what the tracker should have and did not show. Pages skip what moves up while somebody deletes
    /// another, so that this alone proves nothing. Gives whether there was a word on each.
    async fn ask_for(&mut self, mut missed: Vec<(IssueId, u64)>) -> Result<bool, StoreError> {
        // On behind the last that was asked for: those of which there is never a word hold up none.
        let behind = missed.partition_point(|(issue, _)| Some(*issue) <= self.asked);
        missed.rotate_left(behind);
        let mut is_done = missed.len() <= SINGLY;
        let mut silent = 0;
        for (issue, number) in missed.into_iter().take(SINGLY) {
            if silent == SILENT {
                return Ok(false);
            }
            self.asked = Some(issue);
            match self.stands(issue, number).await {
                Ok(Standing::Gone) => {
                    tracing::warn!(%issue, number, "somebody deleted an issue in the outside tracker");
                    self.store.file(issue, Filing::Gone(number)).await?;
                }
                Ok(Standing::Unmarked) => {
                    tracing::warn!(%issue, number, "the outside tracker's #{number} has lost its mark");
                }
                Ok(Standing::Marked) => {}
                Err(error) => {
                    tracing::warn!(%issue, number, %error, "no word on the outside tracker's #{number}: {error}");
                    (is_done, silent) = (false, silent + 1);
                    continue;
                }
            }
            silent = 0;
        }
        Ok(is_done)
    }

    async fn stands(&self, issue: IssueId, number: u64) -> Result<Standing, NotNow> {
        let redmine = &self.tracker.redmine;
        let (status, body) = self.ask(redmine.one(number)).await?;
        Ok(redmine.stands(issue, status, &body)?)
    }
}
