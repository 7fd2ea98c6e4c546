//! What other processes over the same database tell.

use super::line::CHANNEL;
use super::link::Link;
use super::server::Server;
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

/// Who listens, if anybody does.
#[derive(Default)]
pub(super) struct Ear(Mutex<Option<(Sender<()>, oneshot::Receiver<()>)>>);

impl Ear {
    /// Listens from now on, and has `tell` say what others write.
    pub(super) async fn open(
        &self,
        server: Server,
        world: &dyn World,
        own: Uuid,
        tell: broadcast::Sender<SiteId>,
    ) -> Result<(), StoreError> {
        let first = server.clone();
        let link = aside(world, move || listening(&first)).await.map_err(|_| StoreError::Stopped)??;
        let (stop, stopped) = channel();
        let (gone, ended) = oneshot::channel();
        world.begin_aside(Box::new(move || {
            listen(&server, link, own, &tell, &stopped);
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

fn listening(server: &Server) -> Result<Link, StoreError> {
    let link = server.connect()?;
    link.batch(&format!("LISTEN {CHANNEL}")).doing("listening to the database")?;
    Ok(link)
}

/// Listens until whoever could say stop has gone.
fn listen(server: &Server, link: Link, own: Uuid, tell: &broadcast::Sender<SiteId>, stopped: &Receiver<()>) {
    let is_over = |pause| matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Disconnected));
    let mut link = Some(link);
    while !is_over(Duration::ZERO) {
        match &link {
            Some(line) => match line.heard(PATIENCE) {
                Ok(told) => {
                    // Nobody listening is fine.
                    told.and_then(|told| of_another(&told, own)).map(|site| tell.send(site));
                }
                Err(error) => {
                    tracing::warn!(%error, "what other processes write is not heard of for now");
                    link = None;
                }
            },
            None => match listening(server) {
                Ok(line) => {
                    // What was told meanwhile was missed: whoever waits looks for themselves.
                    for site in sites(&line) {
                        let _ = tell.send(site);
                    }
                    link = Some(line);
                }
                Err(error) => {
                    tracing::debug!(%error, "the database is still away");
                    if is_over(PAUSE) {
                        return;
                    }
                }
            },
        }
    }
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
