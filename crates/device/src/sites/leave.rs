//! Leaving a site. It is hidden at once and goes on sending; it is forgotten when the office has confirmed, after the
//! person left, that it has everything, each photo among it; when a backup that began after that is whole, where the office
//! makes any; and when nothing else lies there that is nowhere else.

use super::folder::{Folder, Step};
use super::note::Left;
use super::{Inner, Open, Sites};
use crate::error::Error;
use crate::store::InBackup;
use standpipe_domain::site::Keeps;
use standpipe_domain::sync::{SyncState, Trouble};
use std::sync::Arc;

impl Sites {
    /// Leaves a site: it is not shown any more, and forgotten once nothing keeps it. Until then [`Sites::show`] takes it
    /// back. The person agreed to lose `drafts` texts that were typed and not recorded. Durable when this returns.
    ///
    /// # Errors
    /// `unknown-site` for one that was forgotten meanwhile.
    pub fn leave(&self, folder: &str, drafts: u32) -> Result<(), Error> {
        let mut held = self.inner.held();
        let folder = held.named(folder)?;
        let open = held.open(folder).cloned();
        let mut left = held.left.clone();
        left.insert(folder, Left { drafts });
        let stays = |other: &Folder| !left.contains_key(other) && held.is_joined(*other);
        let other = held.sites.iter().map(|site| site.folder).find(stays);
        let shown = match other {
            _ if held.shown != folder => held.shown,
            Some(other) => other,
            None => self.inner.blank(&mut held)?,
        };
        self.inner.remember(&mut held, shown, left)?;
        drop(held);
        if let Some(open) = open {
            open.driver.confirm_all();
        }
        Ok(())
    }
}

impl Inner {
    /// What keeps a site that was left on the tablet; `None` where nothing does.
    pub(super) fn keeps(&self, folder: Folder, open: &Open, left: Left) -> Option<Keeps> {
        let line = open.driver.line();
        let found = || -> Result<Option<Keeps>, Error> {
            let store = open.engine.store();
            // What the office holds in quarantine it holds: once somebody has seen to it, it keeps nothing here.
            if store.waiting()?.set_aside > 0 || store.holds_the_rest()? {
                return Ok(Some(Keeps::SetAside));
            }
            if store.anything_waits()? {
                return Ok(Some(Keeps::Waits));
            }
            if open.drafts()? > left.drafts {
                return Ok(Some(Keeps::Drafts));
            }
            if let Some(copy) = folder.copies(&self.root)?.first() {
                return Ok(Some(Keeps::DamagedCopy { path: copy.display().to_string() }));
            }
            // Leaving put everything in doubt, and so does each start: what was confirmed before counts for nothing.
            match line.trouble {
                Some(Trouble::Revoked) => return Ok(Some(Keeps::Withdrawn)),
                Some(Trouble::UnknownTablet) => return Ok(Some(Keeps::Unknown)),
                _ => {}
            }
            if !matches!(line.state, SyncState::Safe | SyncState::SafeBut) {
                return Ok(Some(Keeps::Asks));
            }
            Ok(match store.in_backup()? {
                InBackup::NeverMade | InBackup::Held => None,
                InBackup::Unknown => {
                    // It would be told at the next greeting, which may be a minute away.
                    open.driver.greet();
                    Some(Keeps::Asks)
                }
                InBackup::NotYet => Some(Keeps::Backup),
            })
        };
        // What cannot be looked at is kept.
        found().unwrap_or(Some(Keeps::Unopened))
    }

    /// Whether a site was left and is not forgotten yet.
    pub(super) fn has_left(&self) -> bool {
        !self.held().left.is_empty()
    }

    /// Ends every site that was left and that nothing keeps. Gives whether there was one, and whether one is to be looked at
    /// again soon.
    pub(super) fn forget_what_was_left(&self) -> (bool, bool) {
        let mut held = self.held();
        let (mut forgotten, mut again) = (false, false);
        for (folder, left) in held.left.clone() {
            let open = held.open(folder).filter(|open| self.keeps(folder, open, left).is_none());
            let Some(open) = open.cloned() else { continue };
            // Somebody was given it before it was left, and still asks something of it. Nobody is given it meanwhile.
            if Arc::strong_count(&open.engine) > 2 || Arc::strong_count(&open.driver) > 2 {
                again = true;
                continue;
            }
            held.sites.retain(|site| site.folder != folder);
            match self.end(folder, open, left) {
                Ok(true) => {
                    held.left.remove(&folder);
                    forgotten = true;
                }
                ended => {
                    if let Err(error) = ended {
                        tracing::warn!(%folder, %error, "a site that was left could not be forgotten");
                    }
                    self.add(&mut held, folder);
                    again = true;
                }
            }
        }
        if forgotten {
            let (shown, left) = (held.shown, held.left.clone());
            if let Err(error) = self.remember(&mut held, shown, left) {
                // It names a folder that is gone, which the next start sees.
                tracing::warn!(%error, "that a site was forgotten could not be written down");
            }
        }
        (forgotten, again)
    }

    /// Closes a site and puts an end to it; `false` where that is not to be, or not yet.
    fn end(&self, folder: Folder, open: Open, left: Left) -> Result<bool, Error> {
        open.driver.stop();
        // Nobody else has the engine, and the driver has stopped: this is the last word.
        if self.keeps(folder, &open, left).is_some() {
            return Ok(false);
        }
        let Open { engine, driver } = open;
        drop(driver);
        let store = Arc::downgrade(engine.store());
        drop(engine);
        // Whoever closed the database later would tidy up the files of another that lies in its place by then.
        if store.strong_count() > 0 {
            return Ok(false);
        }
        let [end, durable @ ..] = &folder.end(&self.root)[..] else { return Ok(false) };
        end.take()?;
        if let Err(error) = durable.iter().try_for_each(Step::take) {
            tracing::warn!(%folder, %error, "should the power fail now, a site that was left comes back");
        }
        Ok(true)
    }
}
