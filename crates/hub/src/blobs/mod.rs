//! Photos and clips: taken piece by piece, kept under their hash, and confirmed only after they were read back.
//!
//! *Verified* is said of bytes that were fsynced, read back from where they lie, and hashed; the book then says so in a
//! durable transaction. A tablet may delete its own copy after that, so nothing here says it a moment earlier.

mod book;
mod expiry;
mod fault;
mod keep;
pub mod kind;
mod mend;
mod partial;
mod share;
mod shelf;
mod steady;
mod turn;
mod upload;

pub use book::{Allowance, Blob, Book, Upload};
pub use expiry::LASTS;
pub use fault::BlobError;
pub use mend::Spare;
pub use share::Share;
pub(crate) use shelf::{file_of, hash_back};
pub use standpipe_oplog::upload::BlobState;
pub(crate) use steady::{Cut, steady};
pub use upload::{Checksum, NewUpload, Piece, Progress};

use crate::world::{World, spawned};
use bytes::Bytes;
use futures::stream::BoxStream;
use partial::Partials;
use share::Shares;
use shelf::Shelf;
use standpipe_domain::ids::Sha256;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use turn::Turns;

/// The most bytes that one photo or clip may have.
pub const MAX_BLOB: u64 = 4 * 1024 * 1024 * 1024;
/// The most bytes that a thumbnail may have.
pub const MAX_THUMBNAIL: u64 = 4 * 1024 * 1024;
/// What one tablet may have begun and not ended. A tablet sends one photo after the other, and what it could not end
/// ends later or is given up; more than this comes from none that means well.
pub const ALLOWANCE: Allowance = Allowance { uploads: 1_000, bytes: 16 * MAX_BLOB };
/// How long a connection may say nothing before it counts as cut.
const SILENCE: Duration = Duration::from_secs(60);

/// Photos and clips.
#[derive(Clone)]
pub struct Blobs(Arc<Inner>);

struct Inner {
    world: Arc<dyn World>,
    book: Arc<dyn Book>,
    partials: Partials,
    shelf: Shelf,
    turns: Turns,
    shares: Shares,
    arrived: broadcast::Sender<()>,
}

/// What became of a blob's bytes since they were verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Whole,
    Missing,
    Spoilt,
}

impl Blobs {
    /// Opens the folders of photos under `data` as the only one who writes there, and tidies what a stop in the middle
    /// left behind.
    pub async fn open(data: &Path, book: Arc<dyn Book>, world: Arc<dyn World>) -> Result<Self, BlobError> {
        let this = Self::beside(data, book, world)?;
        let Inner { book, partials, .. } = &*this.0;
        for id in partials.all()? {
            match book.upload(id).await? {
                Some(upload) => {
                    let arrived = partials.len(id)?;
                    if arrived != upload.arrived {
                        // What came just before the stop counts, and so does its time, which nobody wrote down.
                        book.upload_at(id, arrived, this.0.world.now()).await?;
                    }
                }
                // Its blob was verified, or it was given up; only the last step was missing.
                None => partials.remove(id)?,
            }
        }
        Ok(this)
    }

    /// Opens the folders of photos under `data` beside a hub that may be at work there: to read and check only.
    pub fn beside(data: &Path, book: Arc<dyn Book>, world: Arc<dyn World>) -> Result<Self, BlobError> {
        let partials = Partials::open(data.join("uploads"), SILENCE, Arc::clone(&world))?;
        let shelf = Shelf::folder(&data.join("blobs"), Arc::clone(&world))?;
        let (turns, shares) = (Turns::default(), Shares::default());
        let arrived = broadcast::Sender::new(16);
        Ok(Self(Arc::new(Inner { world, book, partials, shelf, turns, shares, arrived })))
    }

    /// Tells that a blob is here that was not, or has a thumbnail now. One that is sent again brings no news: whoever sends
    /// it must not wake others, nor itself from the pause that it makes.
    pub fn arrivals(&self) -> broadcast::Receiver<()> {
        self.0.arrived.subscribe()
    }

    fn tell(&self) {
        // Nobody listening is no fault.
        let _ = self.0.arrived.send(());
    }

    /// Gives every tablet this share of the hub.
    pub fn share(&self, share: Share) {
        self.0.shares.set(share);
    }

    /// The blob, as the book has it. See [`Self::at_hand`].
    pub async fn blob(&self, sha256: Sha256) -> Result<Option<Blob>, BlobError> {
        Ok(self.0.book.blob(sha256).await?)
    }

    /// The thumbnail of an original, if it is here, also by [`Self::at_hand`].
    pub async fn thumbnail(&self, of: Sha256) -> Result<Option<Blob>, BlobError> {
        match self.0.book.thumbnail(of).await? {
            Some(thumb) => self.at_hand(thumb.sha256).await,
            None => Ok(None),
        }
    }

    /// The bytes of a blob or a part of them; `None` when nothing lies there.
    pub async fn read(
        &self,
        sha256: Sha256,
        range: Option<Range<u64>>,
    ) -> Result<Option<BoxStream<'static, io::Result<Bytes>>>, BlobError> {
        self.0.shelf.read(sha256, range).await
    }

    /// The blob, if the book has it and as many bytes lie there. The book alone is not believed where a tablet is told
    /// that it need not send, nor where bytes are to be given: a file may be gone, or a folder have been restored that is
    /// older than the book. Whoever has the bytes is asked for them then; the entry stays, since the files may only be late.
    pub async fn at_hand(&self, sha256: Sha256) -> Result<Option<Blob>, BlobError> {
        let Some(blob) = self.0.book.blob(sha256).await? else { return Ok(None) };
        let size = self.0.shelf.size(sha256).await?;
        if size == Some(blob.bytes) {
            return Ok(Some(blob));
        }
        tracing::error!(%sha256, expected = blob.bytes, found = size, "a photo that was verified is gone; it is asked for again");
        Ok(None)
    }

    /// Re-hashes blobs behind `after`, at most `limit`: each with whether its bytes are still what they should be.
    pub async fn check(&self, after: Option<Sha256>, limit: usize) -> Result<Vec<(Blob, Health)>, BlobError> {
        let mut checked = Vec::new();
        for blob in self.0.book.blobs(after, limit).await? {
            let health = match self.0.shelf.read_back(blob.sha256).await {
                Ok(Some(found)) if found.sha256 == blob.sha256 => Health::Whole,
                Ok(None) => Health::Missing,
                Ok(Some(_)) => Health::Spoilt,
                Err(error) => {
                    // A bad sector is what is looked for here; the others are still to be read.
                    tracing::error!(sha256 = %blob.sha256, %error, "a photo cannot be read");
                    Health::Spoilt
                }
            };
            checked.push((blob, health));
        }
        Ok(checked)
    }

    /// Says of a blob that it is not here any more, so that a tablet that still has it sends it again. What lies there
    /// stays until then.
    pub async fn withdraw(&self, sha256: Sha256) -> Result<(), BlobError> {
        Ok(self.0.book.lost_blob(sha256).await?)
    }
}

/// Runs to its end even when the request that began it is given up: that is what a cut connection looks like, and what
/// had arrived by then still has to reach the disk.
async fn unbroken<T: Send + 'static>(
    world: &dyn World,
    work: impl Future<Output = Result<T, BlobError>> + Send + 'static,
) -> Result<T, BlobError> {
    spawned(world, work).await.unwrap_or(Err(BlobError::Interrupted))
}
