//! Tells pages and tablets that something is new, so that they look. It never says what: they ask with their own rights.

use super::App;
use super::auth::Reader;
use super::problem::Problem;
use crate::world::{World, within};
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

/// Whoever was told just now is not told again before this: while many tablets send, each would ask after each photo.
const GAP: Duration = Duration::from_millis(250);

/// One `changed` comes at once: whoever was away may have missed some. One is the last word of a line that ends, so that
/// whoever may not listen any more asks, and hears why.
pub async fn events(
    State(app): State<App>,
    Reader(reader): Reader,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    // Listening begins before the first word is said, so that nothing falls between.
    let pokes = Pokes {
        records: app.store.changes(),
        photos: app.blobs.arrivals(),
        other: app.other.subscribe(),
        closing: app.closing.subscribe(),
        told: None,
    };
    let line = app.lines.open(reader);
    let site = app.store.site().await?.map(|site| site.id);
    let stream =
        futures::stream::unfold((pokes, Some(line), true), move |(mut pokes, mut line, is_first)| {
            let world = Arc::clone(&app.world);
            async move {
                let open = line.as_mut()?;
                let (poked, has_ended) = if is_first {
                    (Some(Some(())), false)
                } else {
                    tokio::select! {
                        biased;
                        () = open.ends() => (Some(Some(())), true),
                        poked = within(&*world, ALIVE, pokes.next(&*world)) => (poked, false),
                    }
                };
                line = line.filter(|_| !has_ended);
                let event = match poked {
                    Some(poked) => {
                        poked?;
                        pokes.told = Some(world.elapsed());
                        Event::default().event("changed").data(json!({ "site": site }).to_string())
                    }
                    None => Event::default().comment("alive"),
                };
                Some((Ok(event), (pokes, line, false)))
            }
        });
    Ok(Sse::new(stream))
}

struct Pokes {
    records: broadcast::Receiver<SiteId>,
    photos: broadcast::Receiver<()>,
    other: broadcast::Receiver<()>,
    closing: watch::Receiver<bool>,
    /// When somebody was told last.
    told: Option<Duration>,
}

impl Pokes {
    /// Returns once something is new; `None` when the hub shuts down, which would wait for open lines otherwise.
    async fn next(&mut self, world: &dyn World) -> Option<()> {
        let poked = tokio::select! {
            biased;
            record = self.records.recv() => record.map(drop),
            photo = self.photos.recv() => photo,
            other = self.other.recv() => other,
            _ = self.closing.wait_for(|closing| *closing) => return None,
        };
        match poked {
            // Whoever lagged has missed pokes, not changes.
            Ok(()) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
        let since = self.told.map_or(GAP, |told| world.elapsed().saturating_sub(told));
        if since < GAP {
            tokio::select! {
                biased;
                _ = self.closing.wait_for(|closing| *closing) => return None,
                () = world.sleep(GAP.saturating_sub(since)) => {}
            }
        }
        // What came meanwhile is told of with it.
        self.records = self.records.resubscribe();
        self.photos = self.photos.resubscribe();
        self.other = self.other.resubscribe();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use standpipe_domain::ids::Millis;
    use std::sync::Mutex;
    use uuid::Uuid;

    /// A world that counts how long somebody slept, and does not.
    #[derive(Default)]
    struct Awake(Mutex<Duration>);

    impl World for Awake {
        fn now(&self) -> Millis {
            Millis(0)
        }
        fn uuid(&self) -> Uuid {
            Uuid::nil()
        }
        fn random(&self, _: &mut [u8]) {}
        fn elapsed(&self) -> Duration {
            *self.0.lock().unwrap()
        }
        fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
            *self.0.lock().unwrap() += pause;
            std::future::ready(()).boxed()
        }
    }

    #[tokio::test]
    async fn whoever_was_told_just_now_hears_of_the_rest_at_once_and_later() {
        let (changed, records) = broadcast::channel(8);
        let (arrived, photos) = broadcast::channel(8);
        let (told, other) = broadcast::channel(8);
        let (_open, closing) = watch::channel(false);
        let mut pokes = Pokes { records, photos, other, closing, told: None };
        let world = Awake::default();
        let site = SiteId(Uuid::nil());
        changed.send(site).unwrap();
        assert_eq!(pokes.next(&world).await, Some(()));
        assert_eq!(world.elapsed(), Duration::ZERO, "the first is told without a pause");
        pokes.told = Some(world.elapsed());
        for _ in 0..3 {
            changed.send(site).unwrap();
            arrived.send(()).unwrap();
            told.send(()).unwrap();
        }
        assert_eq!(pokes.next(&world).await, Some(()));
        assert_eq!(world.elapsed(), GAP);
        assert_eq!(pokes.next(&world).now_or_never(), None, "nine came as one");
    }
}
