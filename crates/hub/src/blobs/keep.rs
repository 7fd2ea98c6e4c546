//! The last steps of every blob: on the shelf, read back, in the book. And the office's own photos, which come in one
//! request.

use super::partial::{End, Received};
use super::{Blob, BlobError, Blobs, Inner, unbroken};
use bytes::Bytes;
use futures::Stream;
use standpipe_domain::ids::{Millis, Sha256};
use uuid::Uuid;

/// What every browser shows, and up to how many bytes it may stand in for its own thumbnail.
const SHOWN_AS_IT_IS: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];
const STANDS_IN: u64 = 16 * 1024 * 1024;

/// Bytes of which the last has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub partial: Uuid,
    /// What their hash must be.
    pub sha256: Sha256,
    pub bytes: u64,
    /// What it was found to be while they came; `None` when they came in several pieces.
    pub hash: Option<Sha256>,
}

impl Blobs {
    /// Takes a photo of the office's own, whose hash nobody told, in one request. Gives the blob once it is verified.
    /// `id` is fresh. What was cut is not kept: the console shows a photo as taken only when it is.
    pub async fn take<S, E>(&self, id: Uuid, limit: u64, body: S, now: Millis) -> Result<Blob, BlobError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
        E: Send + 'static,
    {
        let this = self.clone();
        unbroken(&*self.0.world, async move {
            let Inner { partials, turns, .. } = &*this.0;
            let mut turn = turns.take(id).await;
            let taken = match partials.receive(id, limit, body, &mut turn).await {
                Ok(Received { at, hash, end: End::Whole }) => {
                    let whole = Arrival { partial: id, sha256: hash, bytes: at, hash: Some(hash) };
                    this.keep(whole, None, now).await
                }
                Ok(received) if received.end == End::TooMuch => {
                    Err(BlobError::TooLarge { bytes: received.at + 1, limit })
                }
                Ok(_) => Err(BlobError::Interrupted),
                Err(error) => Err(error),
            };
            partials.remove(id)?;
            taken
        })
        .await
    }

    /// Lets a photo stand in for its own thumbnail, which only tablets make. Where it is no picture, it has none.
    pub async fn show_as_it_is(&self, blob: &Blob) -> Result<(), BlobError> {
        if SHOWN_AS_IT_IS.contains(&blob.media_type.as_str()) && blob.bytes <= STANDS_IN {
            self.0.book.link_thumbnail(blob.sha256, blob.sha256, None).await?;
        }
        Ok(())
    }

    /// Moves a whole partial file to the shelf, reads it back there, and writes it into the book. One that a stop in the
    /// middle left on the shelf already is looked at there.
    pub(super) async fn keep(
        &self,
        Arrival { partial, sha256, bytes, hash }: Arrival,
        upload: Option<Uuid>,
        now: Millis,
    ) -> Result<Blob, BlobError> {
        let Inner { book, partials, shelf, .. } = &*self.0;
        // Somebody else's copy of it came first, and was verified: nothing takes the place of that.
        if let Some(blob) = self.at_hand(sha256).await? {
            book.put_blob(blob.clone(), upload).await?;
            partials.remove(partial)?;
            return Ok(blob);
        }
        if partials.len(partial)? > 0 || !shelf.has_taken(sha256, bytes) {
            let path = partials.touch(partial)?;
            let hash = match hash {
                Some(hash) => hash,
                None => shelf.hash_file(&path).await?.sha256,
            };
            // Before it takes the place of anything.
            if hash != sha256 {
                return Err(BlobError::HashMismatch { sha256 });
            }
            shelf.put(&path, sha256).await?;
        }
        let found = shelf.read_back(sha256).await?;
        let found = found.filter(|found| found.sha256 == sha256).ok_or(BlobError::Spoilt { sha256 })?;
        let media_type = found.media_type.to_owned();
        let blob = Blob { sha256, bytes: found.bytes, media_type, verified_at: now };
        book.put_blob(blob.clone(), upload).await?;
        self.tell();
        partials.remove(partial)?;
        tracing::info!(%sha256, bytes = blob.bytes, "a photo is here and verified");
        Ok(blob)
    }
}
