//! What tablets send: piece by piece, going on where a cut connection left off.

use super::keep::Arrival;
use super::partial::End;
use super::steady::steady;
use super::turn::Turn;
use super::{ALLOWANCE, BlobError, BlobState, Blobs, Inner, MAX_BLOB, MAX_THUMBNAIL, Upload, unbroken};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use standpipe_domain::ids::{DeviceId, Millis, PersonId, Sha256};
use standpipe_oplog::upload::PIECE;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// What a device wants to send.
#[derive(Clone, Debug)]
pub struct NewUpload {
    pub sha256: Sha256,
    pub bytes: u64,
    /// The original, when this is its thumbnail.
    pub thumbnail_of: Option<Sha256>,
    /// Who holds the device.
    pub by: PersonId,
    /// What the sender says of it, to be told again to who asks.
    pub metadata: String,
}

/// Where an upload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub arrived: u64,
    pub bytes: u64,
    pub state: BlobState,
    /// The upload that is still to be ended; `None` once the blob is here.
    pub upload: Option<Upload>,
}

/// What its sender knows a piece by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    Sha256(Sha256),
    Sha1([u8; 20]),
}

/// What comes with the bytes of one request.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Where the sender believes that the upload stands.
    pub offset: u64,
    /// How many bytes the sender announced, if it did.
    pub length: Option<u64>,
    pub checksum: Option<Checksum>,
}

impl Progress {
    pub fn verified(bytes: u64) -> Self {
        Self { arrived: bytes, bytes, state: BlobState::Verified, upload: None }
    }

    fn partial(upload: &Upload, arrived: u64) -> Self {
        let state = if arrived == 0 { BlobState::Absent } else { BlobState::Partial };
        Self { arrived, bytes: upload.bytes, state, upload: Some(upload.clone()) }
    }
}

impl Blobs {
    /// Opens an upload under the fresh `id`, or finds the one that the device has of these bytes. Gives its id and where
    /// it stands; no id when the bytes are here.
    pub async fn begin(
        &self,
        device: DeviceId,
        new: NewUpload,
        id: Uuid,
        now: Millis,
    ) -> Result<(Option<Uuid>, Progress), BlobError> {
        let NewUpload { sha256, bytes, thumbnail_of, by, metadata } = new;
        let limit = if thumbnail_of.is_some() { MAX_THUMBNAIL } else { MAX_BLOB };
        if bytes > limit {
            return Err(BlobError::TooLarge { bytes, limit });
        }
        let here = self.at_hand(sha256).await?;
        if let Some(blob) = here.as_ref().filter(|blob| blob.bytes > limit) {
            return Err(BlobError::TooLarge { bytes: blob.bytes, limit });
        }
        let names = match thumbnail_of {
            // One that is here stays, and nothing is written.
            Some(of) if self.0.book.thumbnail(of).await?.is_none() => Some(of),
            _ => None,
        };
        if here.is_none() || names.is_some() {
            self.0.shares.announce(device, self.0.world.elapsed())?;
        }
        if let Some(blob) = here {
            self.name(names, sha256, by).await?;
            if let Some(of) = names
                && self.0.book.thumbnail(of).await?.is_some()
            {
                self.tell();
            }
            return Ok((None, Progress::verified(blob.bytes)));
        }
        let fresh = Upload { id, sha256, bytes, arrived: 0, device, opened: now, touched: now, metadata };
        let mut upload = self.open_upload(fresh.clone()).await?;
        self.name(names, sha256, by).await?;
        if upload.id == id && bytes > 0 {
            return Ok((Some(id), Progress::partial(&upload, 0)));
        }
        if upload.bytes != bytes {
            // The hash allows one length only: what arrived under the other was something else.
            self.discard(device, upload.id).await?;
            upload = self.open_upload(fresh.clone()).await?;
        }
        let progress = match self.progress(device, upload.id, now).await {
            // Given up, or ended just now by another request of the device, which heard of it or did not.
            Err(BlobError::Expired | BlobError::UnknownUpload) => {
                if let Some(blob) = self.at_hand(sha256).await? {
                    return Ok((None, Progress::verified(blob.bytes)));
                }
                upload = self.open_upload(fresh).await?;
                self.progress(device, upload.id, now).await?
            }
            progress => progress?,
        };
        Ok(((progress.state != BlobState::Verified).then_some(upload.id), progress))
    }

    /// Names the thumbnail of an original.
    async fn name(&self, of: Option<Sha256>, thumbnail: Sha256, by: PersonId) -> Result<(), BlobError> {
        let Some(of) = of else { return Ok(()) };
        Ok(self.0.book.link_thumbnail(of, thumbnail, Some(by)).await?)
    }

    async fn open_upload(&self, fresh: Upload) -> Result<Upload, BlobError> {
        self.0.book.begin_upload(fresh, ALLOWANCE).await?.ok_or(BlobError::TooManyUploads)
    }

    /// Where an upload stands. When all its bytes are there, they are verified first.
    pub async fn progress(&self, device: DeviceId, id: Uuid, now: Millis) -> Result<Progress, BlobError> {
        let this = self.clone();
        unbroken(&*self.0.world, async move {
            let _turn = this.0.turns.take(id).await;
            let upload = this.upload(device, id).await?;
            if let Some(blob) = this.at_hand(upload.sha256).await? {
                // Another tablet was quicker: the rest need not be sent.
                this.forget(id).await?;
                return Ok(Progress::verified(blob.bytes));
            }
            let arrived = this.arrived(&upload, now).await?;
            this.settle(&upload, arrived, None, now).await
        })
        .await
    }

    /// Takes the bytes of one request. Whatever arrives is kept, also when the connection breaks in the middle; with
    /// the last byte the blob is verified.
    pub async fn append<S, E>(
        &self,
        device: DeviceId,
        id: Uuid,
        piece: Piece,
        body: S,
        now: Millis,
    ) -> Result<Progress, BlobError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
        E: Send + 'static,
    {
        let this = self.clone();
        unbroken(&*self.0.world, async move {
            let mut turn = this.0.turns.take(id).await;
            let upload = this.upload(device, id).await?;
            let _sending = this.0.shares.send(device)?;
            let body = steady(body, Arc::clone(&this.0.world));
            this.append_in_turn(upload, piece, body, &mut turn, now).await
        })
        .await
    }

    /// Reads away what a device sends of a blob that is not taken so: it hears the answer once it has sent all of it.
    pub async fn pass_over<S, E>(&self, device: DeviceId, body: S)
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
        E: Send + 'static,
    {
        let Ok(_sending) = self.0.shares.send(device) else { return };
        let (mut body, mut came) = (steady(body, Arc::clone(&self.0.world)), 0);
        while let Some(Ok(bytes)) = body.next().await {
            came += bytes.len() as u64;
            if came > *PIECE.end() {
                return;
            }
        }
    }

    async fn append_in_turn<S, E>(
        &self,
        mut upload: Upload,
        piece: Piece,
        body: S,
        turn: &mut Turn,
        now: Millis,
    ) -> Result<Progress, BlobError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    {
        let Inner { book, partials, .. } = &*self.0;
        let from = self.arrived(&upload, now).await?;
        if piece.offset != from {
            return Err(BlobError::WrongOffset { at: from });
        }
        let room = upload.bytes.saturating_sub(from);
        if piece.length.is_some_and(|length| length > room) {
            return Err(BlobError::BeyondLength { bytes: upload.bytes });
        }
        let received = partials.receive(upload.id, room, body, turn).await?;
        // A checksum says nothing about half a piece; the blob's own hash will.
        let is_right = match piece.checksum {
            Some(Checksum::Sha256(hash)) => hash == received.hash,
            Some(Checksum::Sha1(hash)) => hash == partials.sha1(upload.id, from).await?,
            None => true,
        };
        if received.end == End::Whole && !is_right {
            partials.cut_to(upload.id, from)?;
            return Err(BlobError::ChecksumMismatch);
        }
        if received.at > from {
            upload.touched = now;
        }
        if received.at < upload.bytes {
            book.upload_at(upload.id, received.at, upload.touched).await?;
        }
        match received.end {
            End::TooMuch => Err(BlobError::BeyondLength { bytes: upload.bytes }),
            End::Cut if received.at < upload.bytes => Err(BlobError::Interrupted),
            _ => {
                let hash = (from == 0).then_some(received.hash);
                self.settle(&upload, received.at, hash, now).await
            }
        }
    }

    /// Gives an upload up, with what had arrived of it.
    pub async fn discard(&self, device: DeviceId, id: Uuid) -> Result<(), BlobError> {
        let _turn = self.0.turns.take(id).await;
        self.upload(device, id).await?;
        self.forget(id).await
    }

    /// Where the bytes under these hashes are. Those that arrived whole but were not verified yet are verified first.
    pub async fn states(
        &self,
        hashes: &[Sha256],
        now: Millis,
    ) -> Result<BTreeMap<Sha256, BlobState>, BlobError> {
        let mut states = self.0.book.blob_states(hashes).await?;
        for (sha256, state) in &mut states {
            *state = match state {
                BlobState::Absent => BlobState::Absent,
                BlobState::Verified if self.at_hand(*sha256).await?.is_some() => BlobState::Verified,
                BlobState::Partial | BlobState::Verified => self.settle_all(*sha256, now).await?,
            };
        }
        Ok(states)
    }

    async fn settle_all(&self, sha256: Sha256, now: Millis) -> Result<BlobState, BlobError> {
        let mut state = BlobState::Absent;
        for upload in self.0.book.uploads(Some(sha256)).await? {
            let arrived = self.lies(&upload).await?;
            if arrived < upload.bytes {
                if !upload.is_over(arrived, now) {
                    state = BlobState::Partial;
                }
                continue;
            }
            match self.progress(upload.device, upload.id, now).await {
                Ok(_) => return Ok(BlobState::Verified),
                // It has just ended, one way or the other.
                Err(BlobError::HashMismatch { .. } | BlobError::UnknownUpload) => {}
                Err(error) => return Err(error),
            }
        }
        let is_here = self.at_hand(sha256).await?.is_some();
        Ok(if is_here { BlobState::Verified } else { state })
    }

    /// How many bytes of an upload are here, by whoever has its turn. One that waited too long is given up.
    async fn arrived(&self, upload: &Upload, now: Millis) -> Result<u64, BlobError> {
        let arrived = self.lies(upload).await?;
        if upload.is_over(arrived, now) {
            tracing::info!(sha256 = %upload.sha256, arrived, bytes = upload.bytes, device = %upload.device,
                "an upload that nobody went on with was given up");
            self.forget(upload.id).await?;
            return Err(BlobError::Expired);
        }
        Ok(arrived)
    }

    /// How many bytes of an upload are on disk. Where a stop in the middle left all of them on the shelf, and the book does
    /// not say so yet, all of them are.
    async fn lies(&self, upload: &Upload) -> Result<u64, BlobError> {
        let Inner { partials, shelf, .. } = &*self.0;
        let arrived = partials.len(upload.id)?;
        if arrived > 0 || !shelf.has_taken(upload.sha256, upload.bytes) {
            return Ok(arrived);
        }
        // What lies there may be spoilt, and be sent again for that.
        let found = shelf.read_back(upload.sha256).await?;
        let is_whole = found.is_some_and(|found| found.sha256 == upload.sha256);
        Ok(if is_whole { upload.bytes } else { 0 })
    }

    async fn upload(&self, device: DeviceId, id: Uuid) -> Result<Upload, BlobError> {
        let upload = self.0.book.upload(id).await?;
        upload.filter(|upload| upload.device == device).ok_or(BlobError::UnknownUpload)
    }

    /// Verifies an upload whose last byte has arrived.
    async fn settle(
        &self,
        upload: &Upload,
        arrived: u64,
        hash: Option<Sha256>,
        now: Millis,
    ) -> Result<Progress, BlobError> {
        if arrived < upload.bytes {
            return Ok(Progress::partial(upload, arrived));
        }
        let whole = Arrival { partial: upload.id, sha256: upload.sha256, bytes: upload.bytes, hash };
        let kept = self.keep(whole, Some(upload.id), now).await;
        if let Err(BlobError::HashMismatch { sha256 }) = &kept {
            tracing::warn!(%sha256, bytes = upload.bytes, device = %upload.device, "an upload had another hash");
            self.forget(upload.id).await?;
        }
        kept.map(|blob| Progress::verified(blob.bytes))
    }

    async fn forget(&self, id: Uuid) -> Result<(), BlobError> {
        self.0.book.end_upload(id).await?;
        self.0.partials.remove(id)
    }
}

#[cfg(test)]
#[path = "upload_tests.rs"]
mod tests;
