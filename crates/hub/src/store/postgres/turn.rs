//! Whose turn it is to serve the database, as far as this process knows.

use super::lineage::Lineage;
use super::link::Link;
use crate::store::StoreError;
use crate::store::sql::KEEPING;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Why a hub that served the database may not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Over {
    #[error(
        "another hub serves this database by now, so this one has ended: the photos that the database speaks of lie in the \
         folder of one of the two only; stop the other one before this one is started again"
    )]
    Another,
    #[error(
        "the database is not the one that this hub served (a standby has taken over, or it was put back), and may lack what \
         was acknowledged, so this hub has ended: start it again, and tablets give back what is missing"
    )]
    PutBack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// This process does not serve: it works beside one that may.
    Beside,
    Held,
    /// The connection that held it is lost. Somebody else may serve.
    Unsure,
    Over(Over),
}

/// Whose turn it is to serve the database.
pub(super) struct Turn {
    standing: Mutex<Standing>,
    changed: Condvar,
    over: watch::Sender<Option<Over>>,
    /// What this process serves.
    lineage: OnceLock<Lineage>,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            standing: Mutex::new(Standing::Beside),
            changed: Condvar::new(),
            over: watch::Sender::new(None),
            lineage: OnceLock::new(),
        }
    }
}

impl Turn {
    /// It is this process's turn from now on, at a database of that lineage.
    pub(super) fn begin(&self, lineage: Option<Lineage>) {
        if let Some(lineage) = lineage {
            // It serves once at most.
            let _ = self.lineage.set(lineage);
        }
        self.set(Standing::Held);
    }

    /// It is this process's turn once more.
    pub(super) fn go_on(&self) {
        self.set(Standing::Held);
    }

    /// The connection that held the turn is lost.
    pub(super) fn is_unsure(&self) {
        if *self.standing() == Standing::Held {
            self.set(Standing::Unsure);
        }
    }

    /// This process must not serve any more.
    pub(super) fn end(&self, why: Over) {
        self.set(Standing::Over(why));
        self.over.send_replace(Some(why));
    }

    fn set(&self, next: Standing) {
        let mut standing = self.standing();
        if !matches!(*standing, Standing::Over(_)) {
            *standing = next;
        }
        drop(standing);
        self.changed.notify_all();
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_held(&self) -> bool {
        *self.standing() == Standing::Held
    }

    /// Whether it may be read for somebody.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] where it is another's turn.
    pub(super) fn may_read(&self) -> Result<(), StoreError> {
        match *self.standing() {
            Standing::Over(_) => Err(StoreError::Stopped),
            _ => Ok(()),
        }
    }

    /// Whether something may be written. Waits for as long as `patience` while it is not certain.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] where it is another's turn, [`StoreError::Away`] where nobody knows.
    pub(super) fn may_write(&self, patience: Duration) -> Result<(), StoreError> {
        let unsure = |standing: &mut Standing| *standing == Standing::Unsure;
        let waited = self.changed.wait_timeout_while(self.standing(), patience, unsure);
        let (standing, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match *standing {
            Standing::Beside | Standing::Held => Ok(()),
            Standing::Over(_) => Err(StoreError::Stopped),
            Standing::Unsure => Err(StoreError::Away {
                doing: KEEPING,
                detail: "the connection was lost that keeps other hubs from serving the database".into(),
            }),
        }
    }

    /// What this process serves, where the server tells.
    pub(super) fn lineage(&self) -> Option<&Lineage> {
        self.lineage.get()
    }

    /// Whether a fresh connection leads to what this process serves.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] where it does not: nothing that was acknowledged is certain to be there.
    pub(super) fn is_of(&self, link: &Link) -> Result<(), StoreError> {
        let Some(served) = self.lineage() else { return Ok(()) };
        match Lineage::of(link) {
            Ok(found) if found != *served => {
                self.end(Over::PutBack);
                Err(StoreError::Stopped)
            }
            Ok(_) => Ok(()),
            Err(error) => Err(StoreError::Away { doing: KEEPING, detail: error.to_string() }),
        }
    }

    /// Why this process must not serve any more; once it must not.
    pub(super) async fn over(&self) -> Over {
        let mut over = self.over.subscribe();
        loop {
            let why = *over.borrow_and_update();
            if let Some(why) = why {
                return why;
            }
            // The other end lives as long as this does.
            let _ = over.changed().await;
        }
    }

    pub(super) fn is_over(&self) -> Option<Over> {
        *self.over.borrow()
    }
}
