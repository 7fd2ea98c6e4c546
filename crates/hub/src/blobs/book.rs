//! The book of photos and clips: which bytes are here, and which are on their way. The bytes themselves lie elsewhere.

use crate::store::StoreError;
use async_trait::async_trait;
use standpipe_domain::ids::{DeviceId, Millis, PersonId, Sha256};
use standpipe_oplog::upload::BlobState;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Bytes that are here: durable, re-read from where they lie, and hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub sha256: Sha256,
    pub bytes: u64,
    /// What the bytes are, found by looking at them.
    pub media_type: String,
    pub verified_at: Millis,
}

/// Bytes on their way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub id: Uuid,
    pub sha256: Sha256,
    /// How many bytes there will be.
    pub bytes: u64,
    /// How many had arrived when it was last written down. The partial file itself is what counts.
    pub arrived: u64,
    /// Who sends them.
    pub device: DeviceId,
    pub opened: Millis,
    /// When its last byte came; before the first, when it was opened.
    pub touched: Millis,
    /// What its sender said of it when it was opened (`Upload-Metadata` of tus), as it was said.
    pub metadata: String,
}

/// How much one device may have begun and not ended: what it announces has to find room some day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub uploads: u64,
    /// Of all of them together, as announced.
    pub bytes: u64,
}

/// The book. Each method that changes something returns once the change is durable.
#[async_trait]
pub trait Book: Send + Sync {
    /// The blob under this hash; `None` when its bytes are not here and whole.
    async fn blob(&self, sha256: Sha256) -> Result<Option<Blob>, StoreError>;
    /// Notes that bytes are here, and that the upload that brought them has ended.
    async fn put_blob(&self, blob: Blob, upload: Option<Uuid>) -> Result<(), StoreError>;
    /// Notes that the bytes under this hash are gone or spoilt: a tablet that still has them may send them again.
    async fn lost_blob(&self, sha256: Sha256) -> Result<(), StoreError>;
    /// Blobs behind `after` in the order of their hashes, at most `limit` of them.
    async fn blobs(&self, after: Option<Sha256>, limit: usize) -> Result<Vec<Blob>, StoreError>;
    /// Where the bytes under these hashes are. Every hash that was asked for is in the answer.
    async fn blob_states(&self, hashes: &[Sha256]) -> Result<BTreeMap<Sha256, BlobState>, StoreError>;

    /// The thumbnail of an original, once its bytes are here and are a picture.
    async fn thumbnail(&self, of: Sha256) -> Result<Option<Blob>, StoreError>;
    /// Names the thumbnail of an original. One whose bytes are here already stays. Of a photo that somebody recorded
    /// only they name it, or the hub itself (`by` is then `None`).
    async fn link_thumbnail(
        &self,
        of: Sha256,
        thumbnail: Sha256,
        by: Option<PersonId>,
    ) -> Result<(), StoreError>;

    /// Opens an upload. Where the device has one of the same bytes already, that one is given back instead; `None`
    /// where it would have more than `allowance` then.
    async fn begin_upload(&self, upload: Upload, allowance: Allowance) -> Result<Option<Upload>, StoreError>;
    async fn upload(&self, id: Uuid) -> Result<Option<Upload>, StoreError>;
    /// Every open upload, or those of one blob: at most one of each device.
    async fn uploads(&self, of: Option<Sha256>) -> Result<Vec<Upload>, StoreError>;
    /// Uploads behind `after` in the order of their ids whose last byte came at `by` or before, at most `limit` of them.
    async fn uploads_untouched(
        &self,
        by: Millis,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Upload>, StoreError>;
    /// Notes how many bytes have arrived, and when the last of them did.
    async fn upload_at(&self, id: Uuid, arrived: u64, touched: Millis) -> Result<(), StoreError>;
    async fn end_upload(&self, id: Uuid) -> Result<(), StoreError>;
}
