//! What other processes over the same database tell.

use super::line::CHANNEL;
use super::lineage::Lineage;
use super::link::Link;
use super::server::{Server, unsuitable};
use super::turn::Over;
use crate::store::sql::{Sql, SqlError, bind};
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
/// How soon one tries to take one's turn again, while the server still has to let go of the connection before.
const SOON: Duration = Duration::from_millis(50);

/// Held by whoever serves the database; the number is this program's own.
const SERVING: &str = "SELECT pg_try_advisory_lock(6004271854)";
/// As above. The server may take a moment until it knows that the last one to serve has gone.
const WAITING: &str = "SET LOCAL lock_timeout = '3s'; SELECT pg_advisory_lock(6004271854)";
/// Who holds it. A process may get the number of one that has ended, so it is told with when it began.
const HOLDER: &str = "
    SELECT l.pid, a.backend_start::text FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.classid::bigint = 6004271854 >> 32 AND l.objid::bigint = 6004271854 & 4294967295";
const OWN: &str = "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()";

/// A connection as the server knows it.
type Known = (i64, Option<String>);

/// Whether it is this process's turn.
enum Claim {
    Ours,
    /// The server still has to let go of the connection that held it before.
    Soon,
    Anothers,
}

const TAKING: &str = "asking whether another hub serves the database";

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
            let mut own = (0, None);
            if place.serves {
                take_turn(&link)?;
                own = known(&link, OWN).doing(TAKING)?.unwrap_or(own);
                place.begin(&link)?;
            }
            Ok::<_, StoreError>((place, link, own))
        });
        let (place, link, own) = begun.await.map_err(|_| StoreError::Stopped)??;
        let (stop, stopped) = channel();
        let (gone, ended) = oneshot::channel();
        world.begin_aside(Box::new(move || {
            place.listen(link, own, &tell, &stopped);
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

    /// It is this process's turn.
    fn begin(&self, link: &Link) -> Result<(), StoreError> {
        let lineage = match Lineage::of(link) {
            Ok(lineage) => Some(lineage),
            Err(SqlError::Refused(why)) => {
                tracing::warn!(
                    why,
                    "the server does not tell this hub's user which life it is in: whoever has a standby take over, or puts \
                     the database back, must run `standpipe-hub restored` then"
                );
                None
            }
            Err(error) => return Err(error).doing(TAKING),
        };
        self.server.turn.begin(lineage);
        Ok(())
    }

    /// Listens until whoever could say stop has gone, or another serves the database. `own` is the connection as the server
    /// knows it.
    fn listen(&self, link: Link, mut own: Known, tell: &broadcast::Sender<SiteId>, stopped: &Receiver<()>) {
        let is_over = |pause| matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Disconnected));
        let turn = &self.server.turn;
        let mut link = Some(link);
        while !is_over(Duration::ZERO) && turn.is_over().is_none() {
            let Some(line) = &link else {
                match self.listening() {
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
                }
                continue;
            };
            let claim =
                if self.serves && !turn.is_held() { self.claim(line, &mut own) } else { Ok(Claim::Ours) };
            let patience = if let Ok(Claim::Soon) = claim { SOON } else { PATIENCE };
            match claim.and_then(|_| line.heard(patience)) {
                Ok(told) => {
                    if let Some(site) = told.and_then(|told| of_another(&told, self.own)) {
                        // Nobody listening is fine.
                        let _ = tell.send(site);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "what other processes write is not heard of for now");
                    turn.is_unsure();
                    link = None;
                    // Of a line that was lost another may do at once.
                    if !matches!(error, SqlError::Lost(_)) && is_over(PAUSE) {
                        return;
                    }
                }
            }
        }
    }

    /// Takes this process's turn again on a fresh connection; `own` is the one before. Where another has it, serving is over.
    fn claim(&self, link: &Link, own: &mut Known) -> Result<Claim, SqlError> {
        let turn = &self.server.turn;
        if try_turn(link)? {
            *own = known(link, OWN)?.unwrap_or_else(|| own.clone());
            turn.go_on();
            return Ok(Claim::Ours);
        }
        match known(link, HOLDER)? {
            None => Ok(Claim::Soon),
            // While it ends, the server does not tell any more when it began.
            Some((pid, since)) if pid == own.0 && (since.is_none() || since == own.1) => {
                // It waits on a line of which only this end knows that it is lost.
                link.rows("SELECT pg_terminate_backend(?::int)", bind![own.0], &mut |_| Ok(true))?;
                Ok(Claim::Soon)
            }
            Some(_) => {
                turn.end(Over::Another);
                Ok(Claim::Anothers)
            }
        }
    }
}

/// Sees to it that nobody else serves the database for as long as this connection holds.
///
/// # Errors
/// [`StoreError::Unsuitable`] where somebody does.
pub(super) fn take_turn(link: &Link) -> Result<(), StoreError> {
    match link.batch(WAITING) {
        Err(SqlError::Held(_)) => Err(unsuitable(
            "another hub serves it already, and the photos that it speaks of lie in that one's folder; stop that one \
             first"
                .into(),
        )),
        taken => taken.doing(TAKING),
    }
}

/// Whether it is this process that serves, for as long as the connection holds.
fn try_turn(link: &Link) -> Result<bool, SqlError> {
    let mut has_turn = false;
    link.rows(SERVING, &[], &mut |row| {
        has_turn = row.get(0)?;
        Ok(false)
    })?;
    Ok(has_turn)
}

/// The first connection that a query tells of.
fn known(link: &Link, sql: &str) -> Result<Option<Known>, SqlError> {
    let mut first = None;
    link.rows(sql, &[], &mut |row| {
        first = Some((row.get(0)?, row.get(1)?));
        Ok(false)
    })?;
    Ok(first)
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
