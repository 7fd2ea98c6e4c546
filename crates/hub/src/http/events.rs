//! Tells pages and tablets that something is new, so that they look. It never says what: they ask with their own rights.

use super::App;
use super::auth::Reader;
use super::problem::Problem;
use crate::world::within;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use futures::Stream;
use serde_json::json;
use standpipe_domain::ids::SiteId;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

/// Says after this long that the line is still alive, so that a dead one is noticed.
const ALIVE: Duration = Duration::from_secs(15);

/// One `changed` comes at once: whoever was away may have missed some.
pub async fn events(
    State(app): State<App>,
    _: Reader,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    // Listening begins before the first word is said, so that nothing falls between.
    let pokes = Pokes {
        records: app.store.changes(),
        photos: app.photos.subscribe(),
        closing: app.closing.subscribe(),
    };
    let site = app.store.site().await?.map(|site| site.id);
    let stream = futures::stream::unfold((pokes, true), move |(mut pokes, is_first)| {
        let world = Arc::clone(&app.world);
        async move {
            let poked = if is_first { Some(Some(())) } else { within(&*world, ALIVE, pokes.next()).await };
            let event = match poked {
                Some(poked) => {
                    poked?;
                    Event::default().event("changed").data(json!({ "site": site }).to_string())
                }
                None => Event::default().comment("alive"),
            };
            Some((Ok(event), (pokes, false)))
        }
    });
    Ok(Sse::new(stream))
}

struct Pokes {
    records: broadcast::Receiver<SiteId>,
    photos: broadcast::Receiver<()>,
    closing: watch::Receiver<bool>,
}

impl Pokes {
    /// Returns once something is new; `None` when the hub shuts down, which would wait for open lines otherwise.
    async fn next(&mut self) -> Option<()> {
        let poked = tokio::select! {
            biased;
            record = self.records.recv() => record.map(drop),
            photo = self.photos.recv() => photo,
            _ = self.closing.wait_for(|closing| *closing) => return None,
        };
        match poked {
            // Whoever lagged has missed pokes, not changes.
            Ok(()) | Err(RecvError::Lagged(_)) => Some(()),
            Err(RecvError::Closed) => None,
        }
    }
}
