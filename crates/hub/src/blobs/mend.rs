//! Photos that come back from a backup.

use super::shelf::Shelf;
use super::{Blob, BlobError, Blobs, MAX_BLOB};
use crate::world::World;
use standpipe_domain::ids::{Millis, Sha256};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Another folder of photos under their hashes, such as a backup's, to take from.
pub struct Spare(Shelf);

impl Spare {
    /// The folder `dir`, which is there. Nothing is written into it.
    pub fn open(dir: &Path, world: Arc<dyn World>) -> Result<Self, BlobError> {
        Shelf::folder(dir, world).map(Self)
    }
}

impl Blobs {
    /// Takes a photo back, in place of what may lie here, and counts it as here once it was read back. `id` is fresh. `None`
    /// where the spare folder does not hold its bytes whole; what is here stays then.
    ///
    /// A hub may be at work here: it moves whole files to the same places, and so does this.
    pub async fn mend(
        &self,
        spare: &Spare,
        sha256: Sha256,
        id: Uuid,
        now: Millis,
    ) -> Result<Option<Blob>, BlobError> {
        match spare.0.read_back(sha256).await {
            Ok(Some(found)) if found.sha256 == sha256 => {}
            Ok(_) => return Ok(None),
            Err(error) => {
                tracing::error!(%sha256, %error, "a photo of the backup cannot be read");
                return Ok(None);
            }
        }
        let Some(bytes) = spare.0.read(sha256, None).await? else { return Ok(None) };
        // What is counted as here is not taken a second time.
        self.withdraw(sha256).await?;
        let blob = self.take(id, MAX_BLOB, bytes, now).await?;
        if blob.sha256 == sha256 { Ok(Some(blob)) } else { Err(BlobError::Spoilt { sha256 }) }
    }
}
