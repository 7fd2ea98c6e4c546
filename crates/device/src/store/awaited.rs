//! Originals that wait until their small pictures are made, which go up first.

use super::Store;
use standpipe_domain::ids::Sha256;
use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};

impl Store {
    /// From now on somebody makes previews, and tries each of those that are missing.
    pub(crate) fn begin_previews(&self) {
        *self.given_up() = Some(HashSet::new());
    }

    /// Nobody makes previews any more: what waited for them goes without.
    pub(crate) fn end_previews(&self) {
        *self.given_up() = None;
        self.changed();
    }

    /// The preview of this photo cannot be made for now: its original goes without.
    pub(crate) fn give_preview_up(&self, of: Sha256) {
        if let Some(given_up) = &mut *self.given_up() {
            given_up.insert(of);
        }
        self.changed();
    }

    /// Whether somebody is still to make the preview of this photo, if it is missing.
    pub(crate) fn expects_preview(&self, of: Sha256) -> bool {
        self.given_up().as_ref().is_some_and(|given_up| !given_up.contains(&of))
    }

    fn given_up(&self) -> MutexGuard<'_, Option<HashSet<Sha256>>> {
        // Nothing here is left half changed by a panic.
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
