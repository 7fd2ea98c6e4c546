//! Everything behind a cursor in one answer, page by page as it comes in.

use super::{Coming, HubClient, MAX_JSON, media_type};
use crate::sync::fault::Fault;
use bytes::Bytes;
use http::Method;
use standpipe_oplog::snapshot::{MEDIA_TYPE, Pages};

const DOING: &str = "fetching all records";

/// An answer that is coming in.
pub struct Snapshot {
    coming: Coming,
    pages: Pages,
}

impl HubClient {
    /// Asks for everything behind `after`.
    ///
    /// # Errors
    /// [`Fault::Refused`] with `no-such-address` from a hub of a version that gives no snapshots.
    pub async fn snapshot(&self, after: u64) -> Result<Snapshot, Fault> {
        let request = self.request(Method::GET, &format!("sync/snapshot?after={after}"))?;
        let reply = self.send(DOING, request, Bytes::new()).await?;
        if !reply.status.is_success() {
            let answer = self.read(DOING, reply, MAX_JSON).await?;
            return Err(self.refusal(DOING, &answer));
        }
        let kind = media_type(&reply.headers);
        if kind != MEDIA_TYPE {
            return Err(Fault::NotAHub { doing: DOING, detail: kind.to_owned() });
        }
        Ok(Snapshot { coming: self.coming(DOING, reply, self.patience.stall), pages: Pages::default() })
    }
}

impl Snapshot {
    /// The next page, as [`standpipe_oplog::wire::decode_pull`] reads it; `None` once the answer has ended. Whoever gives up
    /// waiting loses nothing of what has come.
    pub async fn page(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        loop {
            let long = |error| Fault::HubFault { doing: DOING, detail: format!("{error}") };
            if let Some(page) = self.pages.page().map_err(long)? {
                return Ok(Some(page));
            }
            match self.coming.next().await? {
                Some(bytes) => self.pages.take(&bytes),
                None => return Ok(None),
            }
        }
    }
}
