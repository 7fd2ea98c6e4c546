//! What other processes over the same database tell.

use super::line::CHANNEL;
use super::link::Link;
use super::server::{Server, unsuitable};
use crate::store::sql::Sql;
use crate::store::{Doing, StoreError};
use crate::world::{World, aside};
use standpipe_domain::ids::SiteId;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, oneshot};
use uuid::Uuid;

/// How long one listens before one looks whether to stop.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long one waits before one tries again to reach the database.
const PAUSE: Duration = Duration::from_secs(1);

/// Held by whoever serves the database; the number is this program's own.
const SERVING: &str = "SELECT pg_try_advisory_lock(6004271854)";
/// As above. The server may take a moment until it knows that the last one to serve has gone.
const WAITING: &str = "SET LOCAL lock_timeout = '3s'; SELECT pg_advisory_lock(6004271854)";

/// Where one listens.
pub(super) struct Place {
    pub server: Server,
    /// Names this process to the others.
    pub own: Uuid,
    /// Whether this process serves the database, so that no other may.
    pub serves: bool,
}

/// Who listens, if anybody does.
#[derive(Default)]
pub(super) struct Ear(Mutex<Option<(Sender<()>, oneshot::Receiver<()>)>>);

impl Ear {
    /// Listens from now on, and has `tell` say what others write.
    pub(super) async fn open(
        &self,
        place: Place,
        world: &dyn World,
        tell: broadcast::Sender<SiteId>,
    ) -> Result<(), StoreError> {
        let begun = aside(world, move || {
            let link = place.listening()?;
            if place.serves {
                take_turn(&link)?;
            }
            Ok::<_, StoreError>((place, link))
        });
        let (place, link) = begun.await.map_err(|_| StoreError::Stopped)??;
        let (stop, stopped) = channel();
        let (gone, ended) = oneshot::channel();
        world.begin_aside(Box::new(move || {
            place.listen(link, &tell, &stopped);
            let _ = gone.send(());
        }));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((stop, ended));
        Ok(())
    }

    /// Waits until nobody listens.
    pub(super) async fn close(&self) {
        let listener = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, ended)) = listener {
            drop(stop);
            let _ = ended.await;
        }
    }
}

impl Place {
    fn listening(&self) -> Result<Link, StoreError> {
        let link = self.server.connect()?;
        link.batch(&format!("LISTEN {CHANNEL}")).doing("listening to the database")?;
        Ok(link)
    }

    /// Listens until whoever could say stop has gone.
    fn listen(&self, link: Link, tell: &broadcast::Sender<SiteId>, stopped: &Receiver<()>) {
        let is_over = |pause| matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Disconnected));
        let mut link = Some(link);
        let (mut has_turn, mut is_told) = (true, false);
        while !is_over(Duration::ZERO) {
            let Some(line) = &link else {
                match self.listening() {
                    Ok(line) => {
                        // What was told meanwhile was missed: whoever waits looks for themselves.
                        for site in sites(&line) {
                            let _ = tell.send(site);
                        }
                        (link, has_turn, is_told) = (Some(line), false, false);
                    }
                    Err(error) => {
                        tracing::debug!(%error, "the database is still away");
                        if is_over(PAUSE) {
                            return;
                        }
                    }
                }
                continue;
            };
            // The server may take a moment until it knows that the connection before this one has gone.
            if self.serves && !has_turn {
                has_turn = turn(line).unwrap_or(false);
                if !has_turn && !std::mem::replace(&mut is_told, true) {
                    tracing::error!("another hub serves this database meanwhile: stop one of the two");
                }
            }
            match line.heard(PATIENCE) {
                Ok(told) => {
                    if let Some(site) = told.and_then(|told| of_another(&told, self.own)) {
                        // Nobody listening is fine.
                        let _ = tell.send(site);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "what other processes write is not heard of for now");
                    link = None;
                }
            }
        }
    }
}

/// Sees to it that nobody else serves the database for as long as this connection holds.
///
/// # Errors
/// [`StoreError::Unsuitable`] where somebody does.
pub(super) fn take_turn(link: &Link) -> Result<(), StoreError> {
    link.batch(WAITING).map_err(|error| {
        unsuitable(format!(
            "another hub serves it already, and the photos that it speaks of lie in that one's folder; stop that one \
             first ({error})"
        ))
    })
}

/// Whether it is this process that serves, for as long as the connection holds.
fn turn(link: &Link) -> Result<bool, StoreError> {
    let mut has_turn = false;
    link.rows(SERVING, &[], &mut |row| {
        has_turn = row.get(0)?;
        Ok(false)
    })
    .doing("asking whether another hub serves the database")?;
    Ok(has_turn)
}

/// The site that another process tells of.
fn of_another(told: &str, own: Uuid) -> Option<SiteId> {
    let (by, site) = told.split_once(' ')?;
    (by.parse() != Ok(own)).then_some(())?;
    site.parse().ok().map(SiteId)
}

fn sites(link: &Link) -> Vec<SiteId> {
    let mut sites = Vec::new();
    let read = link.rows("SELECT id FROM site", &[], &mut |row| {
        sites.push(SiteId(row.get(0)?));
        Ok(true)
    });
    if let Err(error) = read {
        tracing::warn!(%error, "which sites there are could not be read");
    }
    sites
}
