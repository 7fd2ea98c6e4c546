//! What was begun and never ended: an upload is kept for a while, and then given up.

use super::{BlobError, Blobs, Upload};
use standpipe_domain::ids::Millis;
use std::convert::Infallible;
use std::time::Duration;

/// How long an upload waits for its next byte, in milliseconds: 30 days.
///
/// What arrived of a photo may be all that there ever will be, and sending it again costs a bad link hours. So this is
/// longer than a tablet stays out of reach between two rounds. It must end all the same: what nobody goes on with would
/// fill the disk. A tablet that comes later begins again, and has lost nothing but time.
pub const LASTS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// How often the hub looks for what is over.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How many uploads it looks at in one go, so that other work comes between.
const AT_ONCE: usize = 256;

impl Upload {
    /// When it is given up unless another byte comes.
    pub fn expires(&self) -> Millis {
        Millis(self.touched.0.saturating_add(LASTS))
    }

    /// Whether it waited too long with `arrived` bytes here. Once all of them are here it waits for nothing more from its
    /// sender, and is never given up.
    pub(super) fn is_over(&self, arrived: u64, now: Millis) -> bool {
        arrived < self.bytes && self.expires() <= now
    }
}

impl Blobs {
    /// Gives up every upload that waited too long, now and once a day. It never ends: whoever serves drops it.
    pub async fn tidy(&self) -> Infallible {
        let world = &*self.0.world;
        loop {
            match self.give_up(world.now()).await {
                Ok(0) => {}
                Ok(given_up) => {
                    tracing::info!(given_up, "{given_up} uploads that nobody went on with were given up");
                }
                Err(error) => {
                    tracing::error!(%error, "looking for uploads to give up failed; tomorrow again: {error}");
                }
            }
            world.sleep(EVERY).await;
        }
    }

    /// Gives up every upload whose last byte came too long before `now`. Gives how many those were. One that cannot be
    /// removed is told in the log and does not keep the others.
    pub async fn give_up(&self, now: Millis) -> Result<u64, BlobError> {
        let by = Millis(now.0.saturating_sub(LASTS));
        let (mut after, mut given_up) = (None, 0);
        loop {
            let page = self.0.book.uploads_untouched(by, after, AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(given_up) };
            after = Some(last.id);
            for upload in page {
                // Asked as its tablet would ask: under its turn, and where all bytes are here they are verified now.
                match self.progress(upload.device, upload.id, now).await {
                    Err(BlobError::Expired) => given_up += 1,
                    Ok(_) | Err(BlobError::UnknownUpload) => {}
                    Err(error) => {
                        tracing::error!(upload = %upload.id, %error, "an upload that is over stays for now: {error}");
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "expiry_tests.rs"]
mod tests;
