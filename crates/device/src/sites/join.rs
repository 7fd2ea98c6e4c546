//! Joining an office, beside those that the tablet has joined.

use super::folder::Folder;
use super::{Held, Inner, Sites};
use crate::enrolment::{NotEnrolled, ask};
use crate::error::Error;
use crate::identity::Identity;
use crate::sync::Outside;
use standpipe_domain::ids::SiteId;
use std::sync::Arc;

impl Sites {
    /// Joins the office whose hub answers at `address`, with the code that it gave out. A site that is on this tablet already
    /// goes on there, also one that was left; any other gets a folder of its own. Gives the name of the folder, as
    /// [`Sites::show`] takes it. When this returns, the enrolment is durable.
    ///
    /// The first site is shown at once. The answer to a further one may take a minute, in which somebody types or takes a
    /// photo at the site that is shown: it stays shown, until the person, or a screen that knows that all is safe, shows
    /// the other.
    ///
    /// # Errors
    /// Those of the hub, `wrong-code` among them; and those of the disk. What the tablet holds stands.
    pub async fn join(&self, address: &str, code: &str) -> Result<String, NotEnrolled> {
        self.join_over(&Outside::network(Arc::clone(&self.inner.world)), address, code).await
    }

    /// See [`Sites::join`].
    pub async fn join_over(
        &self,
        outside: &Outside,
        address: &str,
        code: &str,
    ) -> Result<String, NotEnrolled> {
        // The code works once, and only the answer tells of which site it is: where it may have to be written down is made
        // before, so that nothing but the writing itself stands between the two.
        let blank = self.inner.blank(&mut self.inner.held())?;
        let identity = ask(outside, &*self.inner.world, address, code).await?;
        Ok(self.inner.take_in(&identity, blank)?.to_string())
    }
}

impl Inner {
    /// Writes down an enrolment where it belongs. Gives the folder, which is not left any more.
    pub(super) fn take_in(&self, identity: &Identity, blank: Folder) -> Result<Folder, Error> {
        let mut held = self.held();
        let stays = held.is_joined(held.shown).then_some(held.shown);
        let folder = match held.of(identity.site) {
            Some(folder) => folder,
            None if !held.is_joined(blank) => blank,
            // Another code was typed and answered meanwhile.
            None => self.blank(&mut held)?,
        };
        let open = held.open(folder).ok_or(Error::UnknownSite)?;
        open.engine.enrol(identity)?;
        open.driver.wake();
        let mut left = held.left.clone();
        left.remove(&folder);
        self.remember(&mut held, stays.unwrap_or(folder), left)?;
        Ok(folder)
    }
}

impl Held {
    /// Where the records of this site lie.
    fn of(&self, site: SiteId) -> Option<Folder> {
        let is = |folder: &Folder| {
            self.open(*folder).is_some_and(|open| matches!(open.site(), Ok(Some(of)) if of == site))
        };
        self.sites.iter().map(|site| site.folder).find(is)
    }
}
