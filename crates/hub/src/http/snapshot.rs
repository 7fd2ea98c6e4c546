//! Everything behind a cursor in one answer, for a tablet that is new or was away for long.

use super::auth::Tablet;
use super::problem::Problem;
use super::sync::{same_protocol, spoken};
use super::{App, Query};
use crate::pull::{self, Part};
use crate::store::{Device, StoreError};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use serde::Deserialize;
use standpipe_oplog::snapshot::{FIRST, MEDIA_TYPE, larger};

/// So many pages are made at a time, whoever asks: each takes the room of a few uncompressed ones.
pub const AT_ONCE: usize = 2;

#[derive(Deserialize)]
pub struct Behind {
    #[serde(default)]
    after: u64,
}

/// The pages behind a cursor up to the log's head, one behind the other. The answer may end before that, where the hub shuts
/// down or the office withdraws the tablet: whoever lacks the rest asks for it.
pub async fn snapshot(
    State(app): State<App>,
    Tablet(device): Tablet,
    headers: HeaderMap,
    Query(behind): Query<Behind>,
) -> Result<Response, Problem> {
    same_protocol(spoken(&headers))?;
    let mut coming = Coming { app, device, bytes: FIRST };
    // The first page is made before the answer begins, so that what keeps it from being made is told as ever.
    let first = coming.part(behind.after).await?;
    let next = first.more.then_some(first.next);
    let rest = stream::unfold((coming, next), |(mut coming, after)| async move {
        let part = coming.next(after?).await.transpose()?;
        let next = part.as_ref().ok().and_then(|part| part.more.then_some(part.next));
        Some((part.map(|part| part.bytes), (coming, next)))
    });
    let pages = stream::iter([Ok(first.bytes)]).chain(rest);
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], Body::from_stream(pages)).into_response())
}

/// What is still to be given.
struct Coming {
    app: App,
    device: Device,
    /// The bytes of the next page's operations.
    bytes: usize,
}

impl Coming {
    /// The page behind `after`; `None` where no more is given.
    async fn next(&mut self, after: u64) -> Result<Option<Part>, StoreError> {
        if *self.app.closing.borrow() || self.is_revoked().await? {
            return Ok(None);
        }
        self.part(after).await.inspect_err(|error| tracing::error!(%error, "a snapshot ends early")).map(Some)
    }

    async fn is_revoked(&self) -> Result<bool, StoreError> {
        let tablets = self.app.store.tablets().await?;
        Ok(tablets.iter().any(|tablet| tablet.id == self.device.id && tablet.revoked))
    }

    async fn part(&mut self, after: u64) -> Result<Part, StoreError> {
        let App { store, world, packing, .. } = &self.app;
        let _turn = packing.acquire().await.map_err(|_| StoreError::Stopped)?;
        let part = pull::part(&**store, &**world, self.device.site, after, self.bytes).await?;
        self.bytes = larger(self.bytes);
        Ok(part)
    }
}
