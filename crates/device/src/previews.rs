//! Previews, made behind the screens' backs. What was not finished when the app ended is taken up at its next start.

use crate::media::{NoPreview, Outputs, derive};
use crate::store::blobs::{self, PendingPreview, Role, UploadKey};
use crate::store::{Store, StoreError};
use crate::vault::VaultError;
use sha2::{Digest, Sha256 as Hasher};
use standpipe_domain::ids::Sha256;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// The thread that makes previews, one photo at a time: two at once would need twice the memory.
pub struct Previews {
    state: Arc<(Mutex<State>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    woken: bool,
    busy: bool,
    over: bool,
}

impl Previews {
    pub fn start(store: &Arc<Store>) -> Self {
        let state = Arc::new((Mutex::new(State { woken: true, ..State::default() }), Condvar::new()));
        let wake = Arc::clone(&state);
        store.on_photo(move || {
            hold(&wake.0).woken = true;
            wake.1.notify_all();
        });
        store.begin_previews();
        let (shared, made_for) = (Arc::clone(&state), Arc::clone(store));
        let work = move || {
            // No original waits for a thread that is gone. A panic in it was logged.
            if catch_unwind(AssertUnwindSafe(|| work(&made_for, &shared))).is_err() {
                made_for.end_previews();
            }
        };
        let thread = thread::Builder::new().name("previews".into()).spawn(work);
        // Without the thread there are no previews; recording goes on, and sending too.
        let thread = thread.map_err(|error| tracing::error!(%error, "no thread for previews")).ok();
        if thread.is_none() {
            store.end_previews();
        }
        Self { state, thread }
    }

    /// Makes previews where a photo comes in, before the command that brought it returns: for a simulation on one thread.
    #[cfg(any(test, feature = "testing"))]
    pub fn in_place(store: &Arc<Store>) -> Self {
        let own = Arc::downgrade(store);
        store.on_photo(move || {
            if let Some(store) = own.upgrade() {
                make_all(&store, || false);
            }
        });
        store.photo_came();
        Self { state: Arc::default(), thread: None }
    }

    /// Waits until nothing is left to be made.
    pub fn finish(&self) {
        if self.thread.is_none() {
            return;
        }
        let busy = |state: &mut State| (state.woken || state.busy) && !state.over;
        drop(self.state.1.wait_while(hold(&self.state.0), busy).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Previews {
    fn drop(&mut self) {
        hold(&self.state.0).over = true;
        self.state.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // It ends after the photo that it is at; a panic in it was logged.
            let _ = thread.join();
        }
    }
}

fn hold(mutex: &Mutex<State>) -> MutexGuard<'_, State> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(store: &Store, (mutex, changed): &(Mutex<State>, Condvar)) {
    loop {
        let mut state = changed
            .wait_while(hold(mutex), |state| !state.woken && !state.over)
            .unwrap_or_else(PoisonError::into_inner);
        if state.over {
            return;
        }
        (state.woken, state.busy) = (false, true);
        drop(state);
        make_all(store, || hold(mutex).over);
        hold(mutex).busy = false;
        changed.notify_all();
    }
}

/// Makes every preview that is missing, until it is `over`. A photo that cannot be read or written now is tried again with the
/// next one that comes, and at the next start, not in a circle.
fn make_all(store: &Store, over: impl Fn() -> bool) {
    store.begin_previews();
    while let Some(pending) = next(store) {
        if over() {
            return;
        }
        if let Err(error) = make(store, pending) {
            tracing::warn!(photo = %pending.sha256, %error, "no preview for now");
            store.give_preview_up(pending.sha256);
        }
    }
}

fn next(store: &Store) -> Option<PendingPreview> {
    let pending = store.read("looking for photos without a preview", blobs::pending_previews);
    let pending = pending.inspect_err(|error| {
        tracing::warn!(%error, "no previews for now");
        store.end_previews();
    });
    pending.ok()?.into_iter().find(|pending| store.expects_preview(pending.sha256))
}

/// Why there is no preview for now.
#[derive(Debug, thiserror::Error)]
enum NotNow {
    #[error(transparent)]
    Photo(NoPreview),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn make(store: &Store, PendingPreview { sha256, found }: PendingPreview) -> Result<(), NotNow> {
    let vault = store.vault();
    let (preview, thumbnail) = (vault.preview(sha256), vault.path(sha256, Role::Thumbnail));
    vault.make_derived_folder(sha256)?;
    let outputs = Outputs { preview: &preview, thumbnail: &thumbnail };
    let made = match derive(&vault.path(sha256, Role::Original), outputs) {
        Ok(made) => made,
        Err(reason) if reason.is_final() => {
            store.write("writing down why a photo has no preview", |writing| {
                blobs::put_preview(writing, sha256, "none", Some(reason.code()))
            })?;
            return Ok(());
        }
        Err(reason) => return Err(NotNow::Photo(reason)),
    };
    let bytes = fs::read(&thumbnail).map_err(VaultError::io("reading", &thumbnail))?;
    let hash = Sha256(Hasher::digest(&bytes).into());
    // What was found may be this tablet's own: nobody knows whether its small picture ever went up.
    let mut mentions = BTreeMap::new();
    if found {
        mentions = store
            .read("looking for the record of a photo", |conn| blobs::first_mentions(conn, [sha256].into()))?;
    }
    store.write("writing down that a preview is there", |writing| {
        blobs::put_preview(writing, sha256, "ready", None)?;
        // What was fetched from the office is there already, unless the office has lost it since.
        let brought = blobs::brought_in_by(writing, sha256)?.or_else(|| mentions.remove(&sha256));
        let Some(op_id) = brought else { return Ok(()) };
        let key = UploadKey { of: sha256, role: Role::Thumbnail };
        blobs::put_upload(writing, key, hash, made.thumbnail.bytes, op_id, writing.now())
    })?;
    Ok(())
}
