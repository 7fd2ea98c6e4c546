//! The tablet's engine: one method for each command of the screens. The app's shell adds nothing to them.

use crate::commands::Incomings;
use crate::error::Error;
use crate::identity::Identity;
use crate::lock;
use crate::previews::Previews;
use crate::rescue;
use crate::store::blobs::Role;
use crate::store::{Fault, Store, StoreError, Writing, query};
use crate::vault::write_whole;
use crate::world::World;
use rusqlite::Connection;
use standpipe_domain::asset::AssetLine;
use standpipe_domain::hold::Choices;
use standpipe_domain::ids::{AssetId, CheckId, IssueId, RoundId, Sha256, SignOffId};
use standpipe_domain::issue::{IssueLine, IssueView, Mover};
use standpipe_domain::signoff::SealReport;
use standpipe_domain::sync::{AsideId, SyncDetail, SyncLine};
use standpipe_domain::tablet::{AssetView, CheckView, Rescue, RoundView, Today};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use uuid::Uuid;

/// The engine of one tablet. Its methods return when what they did is durable; screens call them off their own thread.
pub struct Engine {
    pub(crate) store: Arc<Store>,
    pub(crate) incomings: Incomings,
    pub(crate) previews: Previews,
    rescue: Option<Rescue>,
    told: AtomicBool,
    // Let go of last.
    _lock: Option<File>,
}

/// Which picture of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picture {
    Thumb,
    Preview,
    Original,
}

impl Engine {
    /// Opens the tablet's data in `folder`, or makes it. A damaged database is set aside, and what can be read of it
    /// rescued into a fresh one.
    ///
    /// # Errors
    /// `in-use` while another app works on it; `database-newer` for the data of a newer app, of which nothing was
    /// changed.
    pub fn open(folder: &Path, world: Arc<dyn World>) -> Result<Self, Error> {
        Self::open_with(lock::hold(folder).map(Some)?, folder, world, Previews::start)
    }

    /// As [`Engine::open`], for whoever holds the tablet's lock already.
    pub(crate) fn open_under_lock(folder: &Path, world: Arc<dyn World>) -> Result<Self, Error> {
        Self::open_with(None, folder, world, Previews::start)
    }

    /// As [`Engine::open`], with previews made where a photo comes in: for a simulation on one thread.
    #[cfg(any(test, feature = "testing"))]
    pub fn open_on_one_thread(folder: &Path, world: Arc<dyn World>) -> Result<Self, Error> {
        Self::open_with(lock::hold(folder).map(Some)?, folder, world, Previews::in_place)
    }

    fn open_with(
        lock: Option<File>,
        folder: &Path,
        world: Arc<dyn World>,
        previews: impl FnOnce(&Arc<Store>) -> Previews,
    ) -> Result<Self, Error> {
        let (store, rescue) = rescue::open(folder, world)?;
        let store = Arc::new(store);
        let previews = previews(&store);
        Ok(Self {
            store,
            incomings: Incomings::default(),
            previews,
            rescue,
            told: AtomicBool::new(false),
            _lock: lock,
        })
    }

    /// The database and vault; the sync driver works on them beside the screens.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Writes down an enrolment.
    pub fn enrol(&self, identity: &Identity) -> Result<(), Error> {
        Ok(self.store.enrol(identity)?)
    }

    /// The first screen. `sync` is the driver's line.
    pub fn today(&self, sync: SyncLine) -> Result<Today, Error> {
        let today = self.store.world().today();
        let view: Today = self.store.read("reading today's rounds", |conn| {
            let identity = query::identity(conn)?;
            query::today(conn, identity.as_ref(), today, sync)
        })?;
        if self.rescue.is_some() && !self.told.swap(true, Relaxed) {
            self.store.rescue_was_told()?;
        }
        Ok(Today { rescue: self.rescue.clone(), ..view })
    }

    pub fn round(&self, id: RoundId) -> Result<RoundView, Error> {
        let today = self.store.world().today();
        self.look("reading a round", "round", id.0, |conn, identity| {
            query::round(conn, id, identity.site, today)
        })
    }

    pub fn check(&self, id: CheckId) -> Result<CheckView, Error> {
        self.look("reading a check", "check", id.0, |conn, _| query::check(conn, id))
    }

    pub fn asset(&self, id: AssetId) -> Result<AssetView, Error> {
        self.look("reading an asset", "asset", id.0, |conn, _| query::asset(conn, id))
    }

    /// The assets that `text` finds, by name, tag or place.
    pub fn search(&self, text: &str) -> Result<Vec<AssetLine>, Error> {
        Ok(self.store.read("searching assets", |conn| query::search(conn, text))?)
    }

    pub fn issues(&self) -> Result<Vec<IssueLine>, Error> {
        let today = self.store.world().today();
        Ok(self.store.read("reading the issues", |conn| match query::identity(conn)? {
            Some(identity) => query::issues(conn, &identity, today),
            None => Ok(Vec::new()),
        })?)
    }

    pub fn issue(&self, id: IssueId) -> Result<IssueView, Error> {
        let today = self.store.world().today();
        self.look("reading an issue", "issue", id.0, |conn, identity| {
            let roles = query::roles(conn, identity.person)?;
            query::issue(conn, id, identity, Mover { person: identity.person, roles: &roles }, today)
        })
    }

    /// Verifies every seal of a round.
    pub fn verify_seals(&self, round: RoundId) -> Result<Vec<SealReport>, Error> {
        Ok(self.store.read("verifying the seals", |conn| query::reports(conn, round))?)
    }

    /// A seal as a file that anyone can verify: a JWS in the general JSON serialisation.
    pub fn export_seal(&self, id: SignOffId) -> Result<String, Error> {
        let jws = self.look("exporting a seal", "sign-off", id.0, |conn, _| query::jws(conn, id))?;
        serde_json::to_string_pretty(&jws).map_err(|error| Fault::Json(error).into())
    }

    /// Writes the file of [`Engine::export_seal`] into `folder`, under a name of its own; gives its path. One of the
    /// same seal that lies there is replaced: the office's signature may have come since.
    pub fn save_seal(&self, id: SignOffId, folder: &Path) -> Result<PathBuf, Error> {
        let text = self.export_seal(id)?;
        let path = folder.join(format!("standpipe-seal-{id}.json"));
        let part = folder.join(format!("{}.part", self.store.world().uuid()));
        write_whole(&part, &path, text.as_bytes())?;
        Ok(path)
    }

    /// Everything behind the line about synchronisation.
    pub fn sync_detail(&self, line: SyncLine) -> Result<SyncDetail, Error> {
        Ok(self.store.read("reading what waits for the office", |conn| {
            let hub = query::identity(conn)?.map(|identity| identity.hub);
            query::sync_detail(conn, line, hub)
        })?)
    }

    /// The person has seen to what was set aside: recorded it again, amended, or it is of no use any more. Or takes that
    /// back. Nothing is deleted by it; it only asks for nobody any more. When this returns it is durable.
    ///
    /// # Errors
    /// `not-enrolled` where the tablet is nobody's.
    pub fn see_to(&self, things: &[AsideId], seen: bool) -> Result<(), Error> {
        Ok(self.store.see_to(things, seen)?)
    }

    /// Keeps what the person chose. When this returns it is durable, and the driver goes by it.
    pub fn choose(&self, choices: Choices) -> Result<(), Error> {
        Ok(self.store.choose(choices)?)
    }

    /// The file of a picture; `None` while, or because, there is none here.
    pub fn picture(&self, sha256: Sha256, picture: Picture) -> Option<PathBuf> {
        let vault = self.store.vault();
        let path = match picture {
            Picture::Thumb => vault.path(sha256, Role::Thumbnail),
            // Of a colleague's photo only the thumbnail may be here.
            Picture::Preview => Some(vault.preview(sha256))
                .filter(|path| path.is_file())
                .unwrap_or(vault.path(sha256, Role::Thumbnail)),
            Picture::Original => vault.path(sha256, Role::Original),
        };
        path.is_file().then_some(path)
    }

    /// Waits until no preview is being made any more.
    pub fn finish_previews(&self) {
        self.previews.finish();
    }

    pub(crate) fn record<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.store.write(doing, work)
    }

    fn look<T>(
        &self,
        doing: &'static str,
        what: &'static str,
        id: Uuid,
        query: impl FnOnce(&Connection, &Identity) -> Result<Option<T>, StoreError>,
    ) -> Result<T, Error> {
        self.store.read(doing, |conn| {
            let identity = query::identity(conn)?.ok_or(Fault::NotEnrolled)?;
            query(conn, &identity)?.ok_or(Error::Unknown { what, id })
        })
    }
}
