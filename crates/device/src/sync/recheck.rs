//! Whether the office still has what it once confirmed. A disk there can be lost, and what this tablet still holds then
//! goes up again.

use super::driver::Driver;
use super::hub_client::HubClient;
use crate::store::Store;
use crate::store::blobs::{Role, UploadKey};
use standpipe_domain::ids::{RoundId, Sha256};
use standpipe_domain::sync::Trouble;
use standpipe_oplog::upload::BlobState;
use std::collections::BTreeSet;

/// So many photos are asked for in one request.
pub(super) const AT_ONCE: u32 = 500;

/// How far the look at what was confirmed has got: once after the app starts, and again when the hub lost something.
#[derive(Debug, Default)]
pub(super) struct Recheck {
    behind: Option<UploadKey>,
    /// Originals of others that the office had said to have.
    of_others: BTreeSet<Sha256>,
    /// What it had said is not forgotten yet.
    owes: bool,
    done: bool,
}

impl Recheck {
    /// Begins anew.
    pub(super) fn begin(&mut self) {
        (self.behind, self.done) = (None, false);
    }

    /// Begins anew, and what the office had said of photos of others counts no more once it answers.
    pub(super) fn doubt(&mut self) {
        self.begin();
        self.owes = true;
    }

    /// The office answers: what it had said of photos of others is forgotten until it has said it again. Where nobody answers,
    /// its last word stands, as it does for this tablet's own.
    pub(super) fn settle(&mut self, store: &Store) -> Result<(), Trouble> {
        if self.owes {
            self.of_others.extend(store.forget_what_the_office_has()?);
            self.owes = false;
        }
        Ok(())
    }

    pub(super) fn is_due(&self) -> bool {
        !self.done
    }
}

impl Driver {
    /// Asks for the next photos that the office once confirmed; those that it no longer has wait again.
    pub(super) async fn recheck_photos(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        let store = &self.standing.store;
        self.recheck.settle(store)?;
        let confirmed = store.confirmed_uploads(self.recheck.behind, AT_ONCE)?;
        let Some((last, _)) = confirmed.last() else { return self.recheck_others(hub).await };
        let hashes: Vec<_> = confirmed.iter().map(|(_, sha256)| *sha256).collect();
        let states = hub.blob_states(&hashes).await?;
        let (mut there, mut lost) = (Vec::new(), Vec::new());
        for (key, sha256) in &confirmed {
            // Only what the hub says is taken for its word: a hash that it leaves out is not lost.
            match states.get(sha256) {
                Some(BlobState::Absent | BlobState::Partial) => {
                    tracing::warn!(of = %key.of, role = ?key.role, "the office lost a photo; it is sent again");
                    lost.push(*key);
                }
                Some(BlobState::Verified) if key.role == Role::Original => there.push((key.of, true)),
                _ => {}
            }
        }
        store.offer_blobs(&lost)?;
        store.office_has_of(&there)?;
        self.recheck.behind = Some(*last);
        self.standing.tell();
        Ok(())
    }

    /// Asks for the next photos of others that the office once said to have.
    async fn recheck_others(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        let hashes: Vec<_> = self.recheck.of_others.iter().take(AT_ONCE as usize).copied().collect();
        if hashes.is_empty() {
            self.recheck.done = true;
            return Ok(());
        }
        let states = hub.blob_states(&hashes).await?;
        let said = |of: &Sha256| Some((*of, *states.get(of)? == BlobState::Verified));
        self.standing.store.office_has_of(&hashes.iter().filter_map(said).collect::<Vec<_>>())?;
        for of in &hashes {
            self.recheck.of_others.remove(of);
        }
        Ok(())
    }

    /// Asks which photos of others that were sealed in a round the office has. What waits on another tablet nobody else
    /// knows.
    pub(super) async fn ask_of_sealed(&mut self, hub: &HubClient, round: RoundId) -> Result<(), Trouble> {
        let store = &self.standing.store;
        // Otherwise what it says now is forgotten next.
        self.recheck.settle(store)?;
        for photos in store.sealed_of_others(round)?.chunks(AT_ONCE as usize) {
            let hashes: Vec<_> = photos.iter().map(|(sha256, _)| *sha256).collect();
            let states = hub.blob_states(&hashes).await?;
            let (mut said, mut lost) = (Vec::new(), Vec::new());
            for (of, is_here) in photos {
                match states.get(of) {
                    Some(BlobState::Verified) => said.push((*of, true)),
                    // It was fetched from there, and goes back.
                    Some(_) if *is_here => lost.push(UploadKey { of: *of, role: Role::Original }),
                    Some(_) => said.push((*of, false)),
                    None => {}
                }
            }
            store.offer_blobs(&lost)?;
            store.office_has_of(&said)?;
        }
        self.standing.asked_of(round);
        Ok(())
    }
}
