//! Photos whose bytes on this tablet are not what was recorded, or cannot be read. Nobody is told that one is lost before the
//! office was asked for it.

use super::driver::Driver;
use super::fault::Fault;
use super::file::Spoilt;
use super::hub_client::HubClient;
use super::inventory;
use super::photos::DOING;
use super::recheck::AT_ONCE;
use crate::store::blobs::{PendingUpload, Role, UploadKey};
use standpipe_domain::sync::Trouble;
use standpipe_oplog::upload::BlobState;
use std::sync::Arc;

impl Driver {
    /// The bytes here are not what was recorded. The office may have the photo all the same: it is asked before anybody is told
    /// that it is lost.
    pub(super) async fn spoilt(
        &mut self,
        hub: &HubClient,
        blob: &PendingUpload,
        spoilt: &Spoilt,
    ) -> Result<(), Trouble> {
        tracing::error!(sha256 = %blob.sha256, path = %blob.path.display(), "a photo cannot be sent: {spoilt}");
        if matches!(spoilt, Spoilt::Unread(_)) {
            return self.unread(hub, blob, spoilt).await;
        }
        if blob.key.role == Role::Thumbnail {
            return self.put_aside(blob, spoilt.code());
        }
        match state_of(hub, blob).await {
            Ok(BlobState::Verified) => match self.is_at_office_alone(blob.key).await {
                Ok(()) => Ok(()),
                Err(trouble) => {
                    self.put_aside(blob, spoilt.code_unasked())?;
                    self.photos.asks = true;
                    Err(trouble)
                }
            },
            Ok(BlobState::Absent | BlobState::Partial) => self.put_aside(blob, spoilt.code()),
            Err(fault) => {
                self.put_aside(blob, spoilt.code_unasked())?;
                self.photos.asks = true;
                Err(fault.into())
            }
        }
    }

    /// The bytes here could not be read. They may well be whole: nothing is done to them, and it is tried again. Once it has
    /// failed again and again the next gets its turn, unless the office has the photo anyhow.
    async fn unread(
        &mut self,
        hub: &HubClient,
        blob: &PendingUpload,
        spoilt: &Spoilt,
    ) -> Result<(), Trouble> {
        if !self.stays_unread(blob.key) {
            return Err(Trouble::TabletFault { detail: spoilt.to_string() });
        }
        let state = match blob.key.role {
            Role::Original => state_of(hub, blob).await,
            Role::Thumbnail => Ok(BlobState::Absent),
        };
        if matches!(state, Ok(BlobState::Verified)) {
            self.standing.store.upload_verified(blob.key)?;
            self.standing.tell();
            return Ok(());
        }
        self.put_aside_for_now(blob, spoilt.code())?;
        Ok(state.map(drop)?)
    }

    /// Asks for the originals that are spoilt here, those that could not be asked for when they were found to be so among them.
    pub(super) async fn ask_of_spoilt(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        let store = Arc::clone(&self.standing.store);
        let mut kept = Ok(());
        for spoilt in store.spoilt()?.chunks(AT_ONCE as usize) {
            let states = hub.blob_states(spoilt).await?;
            let (mut lost, mut there) = (Vec::new(), Vec::new());
            for of in spoilt {
                match states.get(of) {
                    Some(BlobState::Verified) => there.push(*of),
                    Some(BlobState::Absent | BlobState::Partial) => lost.push(*of),
                    None => {}
                }
            }
            store.put_lost(&lost)?;
            for of in there {
                // One whose file cannot be put aside does not keep the others waiting.
                kept = self.is_at_office_alone(UploadKey { of, role: Role::Original }).await.and(kept);
            }
        }
        self.photos.asks = kept.is_err();
        self.standing.tell();
        kept
    }

    /// The office has an original that is spoilt here. It can be fetched from there.
    async fn is_at_office_alone(&mut self, key: UploadKey) -> Result<(), Trouble> {
        let store = Arc::clone(&self.standing.store);
        if store.vault().path(key.of, key.role).exists() {
            inventory::put_aside(&store, key.of).await?;
        }
        store.upload_verified(key)?;
        store.not_found(key.of)?;
        self.standing.tell();
        Ok(())
    }
}

/// What the office has of a photo.
async fn state_of(hub: &HubClient, blob: &PendingUpload) -> Result<BlobState, Fault> {
    let state = hub.blob_states(&[blob.sha256]).await?.remove(&blob.sha256);
    state.ok_or_else(|| Fault::of_hub(DOING, "the hub does not say whether it has a photo"))
}
