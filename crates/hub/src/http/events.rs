//! Tells pages and tablets that something is new, so that they look. It never says what: they ask with their own rights.

use super::App;
use super::auth::Reader;
use super::problem::Problem;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde_json::json;
use standpipe_domain::ids::SiteId;
use std::convert::Infallible;
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
    let stream = futures::stream::unfold((pokes, true), move |(mut pokes, is_first)| async move {
        if !is_first {
            pokes.next().await?;
        }
        let event = Event::default().event("changed").data(json!({ "site": site }).to_string());
        Some((Ok(event), (pokes, false)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE)))
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
