//! What goes on beside the screens: they are told what has changed, and what was left is forgotten.

use super::{Inner, News};
use crate::error::Error;
use crate::store::Store;
use crate::world::aside;
use std::sync::{Arc, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::sync::watch;

/// How long until a site is tried again that somebody was still asking something of when it was to be forgotten.
const SOON: Duration = Duration::from_secs(1);
/// So often what was left is looked at where nothing was told: its office may have made a backup.
const LATER: Duration = Duration::from_secs(60);

/// The thread on which that goes on. It ends when this is dropped.
pub(super) struct Beside {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Beside {
    pub(super) fn start(inner: &Arc<Inner>) -> Result<Self, Error> {
        let inner = Arc::clone(inner);
        let stop = watch::Sender::new(false);
        let mut stopped = stop.subscribe();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Error::NoThread)?;
        let thread = Builder::new().name("sites".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    _ = stopped.wait_for(|stopped| *stopped) => {}
                    _ = async { futures::join!(tell_of_changes(&inner), tend(&inner)) } => {}
                }
            });
        });
        Ok(Self { stop, thread: Some(thread.map_err(Error::NoThread)?) })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic in it was logged where it happened.
            let _ = thread.join();
        }
    }
}

/// Tells whenever something of the site that is shown changes, or another one is shown.
async fn tell_of_changes(inner: &Inner) {
    let mut shown = inner.shown.subscribe();
    let mut store: Weak<Store> = Weak::new();
    let mut changes = None;
    loop {
        let now = inner.store_shown();
        let is_other = now.as_ref().is_some_and(|now| !Weak::ptr_eq(&store, &Arc::downgrade(now)));
        if let Some(now) = now.filter(|_| is_other) {
            store = Arc::downgrade(&now);
            changes = Some(now.changes());
            (inner.tell)(News::Changed);
        }
        tokio::select! {
            Ok(()) = shown.changed() => {}
            Some(()) = changed(changes.as_mut()) => (inner.tell)(News::Changed),
        }
    }
}

/// Waits for a change; for ever where there is nothing that could change.
async fn changed(changes: Option<&mut watch::Receiver<u64>>) -> Option<()> {
    if let Some(changes) = changes
        && changes.changed().await.is_ok()
    {
        return Some(());
    }
    std::future::pending().await
}

/// Forgets what was left once nothing keeps it, and tells of the list whenever it has changed.
async fn tend(inner: &Arc<Inner>) {
    let mut told = Vec::new();
    loop {
        let (forgotten, again) = inner.forget_what_was_left();
        if forgotten {
            let root = inner.root.clone();
            // Nothing opens what is removed here any more, so nobody has to wait for it.
            let swept = aside(&*inner.world, move || super::folder::sweep(&root)).await;
            if let Ok(Err(error)) = swept {
                tracing::warn!(%error, "a site that was left could not be removed whole");
            }
        }
        let list = inner.list();
        if told != list {
            (inner.tell)(News::Sites);
            told = list;
        }
        let pause = if again { SOON } else { LATER };
        tokio::select! {
            () = inner.woken.notified() => {}
            () = inner.world.sleep(pause), if again || inner.has_left() => {}
        }
    }
}
