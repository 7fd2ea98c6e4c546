//! The list of sites, as the person is told of them.

use super::folder::Folder;
use super::note::Left;
use super::{Inner, Open, Site};
use crate::error::Error;
use crate::store::{Store, StoreError, query};
use standpipe_domain::site::{Keeps, SiteLine};
use standpipe_domain::tablet::Problem;
use std::sync::Arc;

impl Inner {
    /// All sites, by age, with the one that is shown: also where it holds none yet.
    pub(super) fn list(&self) -> Vec<SiteLine> {
        // Nobody else waits while they are asked.
        let (shown, all) = {
            let held = self.held();
            let left = |folder| held.left.get(&folder).copied();
            let one = |site: &Site| (site.folder, site.opened.outcome().cloned(), left(site.folder));
            (held.shown, held.sites.iter().map(one).collect::<Vec<_>>())
        };
        let line = |(folder, opened, left)| self.line(folder, folder == shown, opened, left);
        all.into_iter().filter_map(line).collect()
    }

    /// What is told of a folder; `None` of one that waits for a site.
    fn line(
        &self,
        folder: Folder,
        shown: bool,
        opened: Result<Open, Problem>,
        left: Option<Left>,
    ) -> Option<SiteLine> {
        let nothing = SiteLine {
            folder: folder.to_string(),
            name: None,
            person: None,
            hub: None,
            shown,
            sync: None,
            problem: None,
            drafts: 0,
            leaving: left.map(|_| Keeps::Unopened),
        };
        let told = opened.and_then(|open| {
            let leaving = left.map(|left| self.keeps(folder, &open, left).unwrap_or(Keeps::Asks));
            told(&open, SiteLine { leaving, ..nothing.clone() }).map_err(|error| Error::from(error).problem())
        });
        told.unwrap_or_else(|problem| Some(SiteLine { problem: Some(problem), ..nothing }))
    }

    /// The database of the site that is shown.
    pub(super) fn store_shown(&self) -> Option<Arc<Store>> {
        let held = self.held();
        Some(Arc::clone(held.open(held.shown)?.engine.store()))
    }
}

/// With what is known of a site that is open.
fn told(open: &Open, line: SiteLine) -> Result<Option<SiteLine>, StoreError> {
    if !line.shown && open.site()?.is_none() {
        return Ok(None);
    }
    let line = SiteLine { sync: Some(open.driver.line()), drafts: open.drafts()?, ..line };
    open.engine.store().read("reading the name of a site", |conn| {
        let Some(identity) = query::identity(conn)? else { return Ok(Some(line)) };
        let name = query::site(conn, identity.site)?.map_or(identity.site_name, |(name, _)| name);
        let (name, person, hub) = (Some(name), Some(identity.person_name), Some(identity.hub));
        Ok(Some(SiteLine { name, person, hub, ..line }))
    })
}
