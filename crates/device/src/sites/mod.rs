//! The sites of one tablet: a folder for each, with a database, a vault, an enrolment and a driver of its own. What works
//! within a folder knows nothing of the others.
//!
//! One is shown, and all of them synchronise. One that was left is hidden, goes on sending, and is forgotten once the
//! office has confirmed everything that was recorded there ([`leave`]).

mod beside;
mod folder;
mod join;
mod leave;
mod list;
mod note;
mod tried;

#[cfg(test)]
mod tests;

pub use tried::Tried;

use crate::engine::Engine;
use crate::error::Error;
use crate::lock;
use crate::store::StoreError;
use crate::store::outbox::site_of_log;
use crate::sync::Handle;
use crate::world::World;
use beside::Beside;
use folder::Folder;
use note::{Left, Note};
use standpipe_domain::hold::{Choices, Surroundings};
use standpipe_domain::ids::SiteId;
use standpipe_domain::site::SiteLine;
use standpipe_domain::sync::SyncLine;
use standpipe_domain::tablet::Problem;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// All sites of a tablet. Once it is dropped nothing of it works any more; nothing is lost by that at any moment.
pub struct Sites {
    inner: Arc<Inner>,
    beside: Option<Beside>,
}

/// One site at work.
#[derive(Clone)]
pub struct Open {
    pub engine: Arc<Engine>,
    pub driver: Arc<Handle>,
}

/// What the screens are told without having asked.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The line about synchronisation of the site that is shown.
    Line(SyncLine),
    /// Something of the site that is shown has changed, or another one is shown.
    Changed,
    /// What [`Sites::list`] gives has changed.
    Sites,
}

type Tell = Arc<dyn Fn(News) + Send + Sync>;

struct Inner {
    root: PathBuf,
    world: Arc<dyn World>,
    held: Mutex<Held>,
    /// Which one is shown, for drivers, which must not wait for `held`. Sent again when it comes to be opened.
    shown: watch::Sender<Folder>,
    /// Notified when the list may have changed.
    woken: Arc<Notify>,
    tell: Tell,
    _lock: File,
}

struct Held {
    shown: Folder,
    /// Those that were left, and how it stood with them then.
    left: BTreeMap<Folder, Left>,
    /// By age.
    sites: Vec<Site>,
    surroundings: Option<Surroundings>,
}

struct Site {
    folder: Folder,
    opened: Tried<Open>,
}

impl Sites {
    /// Opens all sites of the tablet whose data lies in `root`, or makes a new tablet there. `tell` is called on any
    /// thread, must return at once, and does not call back.
    ///
    /// # Errors
    /// `in-use` while another app works on them. A site that cannot be opened keeps no other from it: it says so itself.
    pub fn open(
        root: &Path,
        world: Arc<dyn World>,
        tell: impl Fn(News) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let lock = lock::hold(root)?;
        if let Err(error) = folder::sweep(root) {
            // It takes room, and is tried again at the next start.
            tracing::warn!(%error, "a site that was left could not be removed whole");
        }
        let found = Folder::all(root)?;
        let Note { shown, mut left } = Note::read(root);
        left.retain(|folder, _| found.contains(folder));
        let stays = |folder: &Folder| found.contains(folder) && !left.contains_key(folder);
        let fresh = || match Folder::of_new_tablet(root) {
            Some(root) if found.is_empty() => root,
            _ => Folder::Further(world.uuid()),
        };
        let shown = shown.filter(stays).or_else(|| found.iter().copied().find(stays)).unwrap_or_else(fresh);
        let inner = Arc::new(Inner {
            root: root.to_owned(),
            world,
            held: Mutex::new(Held { shown, left, sites: Vec::new(), surroundings: None }),
            shown: watch::Sender::new(shown),
            woken: Arc::default(),
            tell: Arc::new(tell),
            _lock: lock,
        });
        // The one that is shown goes first: the others take over what the person chose there.
        for folder in std::iter::once(shown).chain(found.into_iter().filter(|folder| *folder != shown)) {
            inner.add(&mut inner.held(), folder);
        }
        Ok(Self { beside: Some(Beside::start(&inner)?), inner })
    }

    /// The site that is shown. One that could not be opened is tried again.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub fn shown(&self) -> Result<Open, Problem> {
        let mut held = self.inner.held();
        self.inner.try_again(&mut held, false);
        held.find(held.shown).ok_or(Error::UnknownSite.problem())?.opened.outcome().cloned()
    }

    /// All of them, by age: also those that were left and are not forgotten yet.
    pub fn list(&self) -> Vec<SiteLine> {
        self.inner.try_again(&mut self.inner.held(), true);
        self.inner.list()
    }

    /// Shows another site from now on. One that was left is not left any more. Durable when this returns.
    ///
    /// # Errors
    /// `unknown-site` for one that was forgotten meanwhile.
    pub fn show(&self, folder: &str) -> Result<(), Error> {
        let mut held = self.inner.held();
        let folder = held.named(folder)?;
        let mut left = held.left.clone();
        left.remove(&folder);
        self.inner.remember(&mut held, folder, left)
    }

    /// Keeps what the person chose, for all of the tablet. When this returns it is durable.
    ///
    /// # Errors
    /// Where it could not be kept for one of the sites.
    pub fn choose(&self, choices: Choices) -> Result<(), Problem> {
        // Where that is not open it is not kept for the site that somebody looks at.
        self.shown()?;
        for open in self.inner.all_open() {
            open.engine.choose(choices).map_err(|error| error.problem())?;
        }
        Ok(())
    }

    /// What the tablet stands in has changed, or was looked at for the first time.
    pub fn surrounded_by(&self, surroundings: Surroundings) {
        self.inner.held().surroundings = Some(surroundings);
        for open in self.inner.all_open() {
            open.driver.surrounded_by(surroundings);
        }
    }

    /// Somebody asks: everything is tried now, at every site.
    pub fn sync_now(&self) {
        for open in self.inner.all_open() {
            open.driver.sync_now();
        }
    }

    /// See [`Handle::come_back`]; at every site.
    pub fn come_back(&self) {
        for open in self.inner.all_open() {
            open.driver.come_back();
        }
    }
}

impl Drop for Sites {
    fn drop(&mut self) {
        // First, or it could begin to work on a site once more.
        drop(self.beside.take());
        for open in self.inner.all_open() {
            open.driver.stop();
        }
    }
}

impl Inner {
    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing here is left half changed by a panic.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a folder, or makes it, and holds it whether or not that went well.
    fn add(&self, held: &mut Held, folder: Folder) {
        let beside = held.shown_choices();
        let opened = Tried::now(&*self.world, || self.open(folder, beside, held.surroundings));
        held.sites.push(Site { folder, opened });
        held.sites.sort_by_key(|site| site.folder);
    }

    /// Tries again to open what could not be opened: only what is shown, or all.
    fn try_again(&self, held: &mut Held, all: bool) {
        let (shown, choices, surroundings) = (held.shown, held.shown_choices(), held.surroundings);
        for site in held.sites.iter_mut().filter(|site| all || site.folder == shown) {
            let folder = site.folder;
            if site.opened.again(&*self.world, || self.open(folder, choices, surroundings)) {
                self.shown.send_modify(|_| ());
                self.woken.notify_one();
            }
        }
    }

    /// Starts to work on a site, by what the person chose for the tablet.
    fn open(
        &self,
        folder: Folder,
        choices: Option<Choices>,
        surroundings: Option<Surroundings>,
    ) -> Result<Open, Problem> {
        let made = folder.make(&self.root).map_err(Error::from);
        let opened = made
            .and_then(|()| Engine::open_under_lock(&folder.path(&self.root), Arc::clone(&self.world)))
            .and_then(|engine| {
                if let Some(choices) = choices
                    && engine.store().choices()? != choices
                {
                    engine.choose(choices)?;
                }
                let (shown, woken, tell) =
                    (self.shown.subscribe(), Arc::clone(&self.woken), Arc::clone(&self.tell));
                let driver = Handle::spawn(Arc::clone(engine.store()), move |line| {
                    woken.notify_one();
                    if *shown.borrow() == folder {
                        tell(News::Line(line));
                    }
                });
                let driver = driver.map_err(Error::NoThread)?;
                if let Some(surroundings) = surroundings {
                    driver.surrounded_by(surroundings);
                }
                Ok(Open { engine: Arc::new(engine), driver: Arc::new(driver) })
            });
        opened.map_err(|error| {
            tracing::error!(code = error.code(), %folder, "a site's data could not be opened: {error}");
            error.problem()
        })
    }

    /// Every site that is open.
    fn all_open(&self) -> Vec<Open> {
        self.held().sites.iter().filter_map(|site| site.opened.outcome().ok().cloned()).collect()
    }

    /// Shows a site, and remembers who was left. Durable when this returns.
    fn remember(&self, held: &mut Held, shown: Folder, left: BTreeMap<Folder, Left>) -> Result<(), Error> {
        Note { shown: Some(shown), left: left.clone() }.write(&self.root)?;
        (held.shown, held.left) = (shown, left);
        self.shown.send_if_modified(|before| std::mem::replace(before, shown) != shown);
        self.woken.notify_one();
        Ok(())
    }

    /// A folder that holds no site yet: the one that is shown, or another, or a new one.
    fn blank(&self, held: &mut Held) -> Result<Folder, Error> {
        let shown = held.sites.iter().find(|site| site.folder == held.shown);
        for site in shown.into_iter().chain(&held.sites) {
            // One that cannot be read is no place for another, and keeps nobody from joining elsewhere.
            if site.opened.outcome().is_ok_and(|open| matches!(open.site(), Ok(None))) {
                return Ok(site.folder);
            }
        }
        let folder = Folder::Further(self.world.uuid());
        self.add(held, folder);
        match held.find(folder).map(|site| site.opened.outcome()) {
            Some(Err(problem)) => Err(Error::NotOpened(problem)),
            _ => Ok(folder),
        }
    }
}

impl Held {
    fn find(&self, folder: Folder) -> Option<&Site> {
        self.sites.iter().find(|site| site.folder == folder)
    }

    fn open(&self, folder: Folder) -> Option<&Open> {
        self.find(folder)?.opened.outcome().ok()
    }

    /// Whether a folder holds a site, as far as is known.
    fn is_joined(&self, folder: Folder) -> bool {
        self.open(folder).is_none_or(|open| !matches!(open.site(), Ok(None)))
    }

    /// The folder of this name.
    fn named(&self, name: &str) -> Result<Folder, Error> {
        let folder = name.parse().ok().filter(|folder| self.find(*folder).is_some());
        folder.ok_or(Error::UnknownSite)
    }

    /// What the person chose, where the site that is shown can be asked.
    fn shown_choices(&self) -> Option<Choices> {
        self.open(self.shown)?.engine.store().choices().ok()
    }
}

impl Open {
    /// Whose records lie here; `None` where nothing was joined yet.
    fn site(&self) -> Result<Option<SiteId>, StoreError> {
        let store = self.engine.store();
        match store.identity()? {
            Some(identity) => Ok(Some(identity.site)),
            // A rescue may have found the records and not the enrolment.
            None => store.read("looking whose records these are", site_of_log),
        }
    }

    /// Texts that were typed and not recorded.
    fn drafts(&self) -> Result<u32, StoreError> {
        self.engine.store().read("counting what was typed and not recorded", |conn| {
            // An office's address is nobody's work.
            let sql = "SELECT count(*) FROM draft WHERE name NOT GLOB 'enrol.*'";
            Ok(conn.query_row(sql, [], |row| row.get(0))?)
        })
    }
}
