//! What lies in the vault against what the database says of it. A rescue loses rows, a database may be put back from a copy,
//! and power may fail between a file's name and its row: the original is there then, and nothing would ever send it.
//!
//! The vault is listed once after the app starts, and again when the tablet joins. Read is only what no row accounts for,
//! once a record speaks of it.

use super::driver::Driver;
use super::hub_client::HubClient;
use crate::store::blobs::{self, Role};
use crate::store::{Store, StoreError};
use crate::vault::VaultError;
use crate::vault::inside::Found;
use crate::world::aside;
use rusqlite::{OptionalExtension, params};
use standpipe_domain::ids::Sha256;
use standpipe_domain::sync::Trouble;
use standpipe_oplog::upload::BlobState;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

/// How far the look into the vault has got.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    is_listed: bool,
    /// Originals of which no record speaks so far.
    strangers: BTreeSet<Sha256>,
    /// Those of which the database says something else than the vault.
    queue: VecDeque<Sha256>,
}

impl Inventory {
    pub(super) fn is_due(&self) -> bool {
        !self.is_listed || !self.queue.is_empty()
    }
}

impl Driver {
    /// Lists the vault, or looks at one file.
    pub(super) async fn take_stock(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        if !self.inventory.is_listed {
            let (strangers, doubtful) = self.beside(|store| Ok(list(store)?)).await?;
            self.inventory = Inventory { is_listed: true, strangers, queue: VecDeque::new() };
            self.put_in_line(doubtful);
            return self.look_for_originals();
        }
        let Some(of) = self.inventory.queue.pop_front() else { return Ok(()) };
        let looked = self.look_into(hub, of).await;
        if looked.is_err() {
            // The others do not wait for it.
            self.inventory.queue.push_back(of);
        }
        looked
    }

    async fn look_into(&mut self, hub: &HubClient, of: Sha256) -> Result<(), Trouble> {
        let store = Arc::clone(&self.standing.store);
        let mut found = look_at(&store, of).await?;
        if found == Found::Spoilt {
            // What is left of a photo stays what it is, unless the office has all of it.
            match hub.blob_states(&[of]).await?.get(&of) {
                Some(BlobState::Verified) => {
                    found = put_aside(&store, of).await?;
                }
                Some(_) => {
                    self.beside(move |store| Ok(store.found_spoilt(of)?)).await?;
                    self.standing.tell();
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
        match found {
            Found::Whole(bytes) => {
                self.missing.forget(of);
                if store.found(of, bytes)? {
                    // Whether the office has it is asked with whatever else came from there.
                    self.recheck.begin();
                }
            }
            Found::Spoilt | Found::Nothing => store.not_found(of)?,
        }
        Ok(())
    }

    /// Puts the originals in line that no row names as here, and that a record speaks of by now.
    pub(super) fn look_for_originals(&mut self) -> Result<(), Trouble> {
        let strangers = &mut self.inventory.strangers;
        if strangers.is_empty() {
            return Ok(());
        }
        let mentioned = self.standing.store.mentioned(strangers)?;
        for (of, _) in &mentioned {
            strangers.remove(of);
        }
        self.put_in_line(mentioned.into_iter().filter(|(_, is_here)| !is_here).map(|(of, _)| of).collect());
        Ok(())
    }

    /// Until these were looked at, and the office was asked for them, nothing is said to be safe.
    fn put_in_line(&mut self, originals: Vec<Sha256>) {
        if !originals.is_empty() {
            tracing::warn!(
                files = originals.len(),
                "the vault and the database do not say the same of some photos"
            );
            self.inventory.queue.extend(originals);
            self.doubt();
        }
    }
}

/// Looks at the file of an original. Only its hash is believed.
async fn look_at(store: &Arc<Store>, of: Sha256) -> Result<Found, StoreError> {
    let vault = store.vault().clone();
    at_files(store, of, move || vault.look_at(of)).await
}

/// Puts what lies under the name of an original aside, unless it is the original after all. Gives what lies there then.
pub(super) async fn put_aside(store: &Arc<Store>, of: Sha256) -> Result<Found, StoreError> {
    let (vault, name) = (store.vault().clone(), store.world().uuid());
    at_files(store, of, move || vault.put_aside(of, name)).await
}

async fn at_files(
    store: &Arc<Store>,
    of: Sha256,
    work: impl FnOnce() -> Result<Found, VaultError> + Send + 'static,
) -> Result<Found, StoreError> {
    let done = aside(store.world(), work).await;
    let path = store.vault().path(of, Role::Original);
    let done = done.unwrap_or_else(|gone| Err(VaultError::io("looking at", &path)(io::Error::other(gone))));
    Ok(done?)
}

/// Whether an original is here, and whether no row had said so. Of other bytes under its name nothing is made: what is fetched
/// takes their place once it is whole.
pub(super) async fn is_here(store: &Arc<Store>, of: Sha256) -> Result<(bool, bool), StoreError> {
    let Ok(file) = store.vault().path(of, Role::Original).metadata() else { return Ok((false, false)) };
    if store.accounts_for(of, file.len())? {
        return Ok((true, false));
    }
    match look_at(store, of).await? {
        Found::Whole(bytes) => Ok((true, store.found(of, bytes)?)),
        Found::Spoilt | Found::Nothing => Ok((false, false)),
    }
}

/// The originals that no row says are here; and those of which a row says that they are, and there is none, or it is of
/// another length. What waits to go up is left alone: it is looked at then, and told of.
fn list(store: &Store) -> Result<(BTreeSet<Sha256>, Vec<Sha256>), StoreError> {
    let listed: BTreeMap<Sha256, u64> = store.vault().originals()?;
    let mut strangers: BTreeSet<Sha256> = listed.keys().copied().collect();
    let mut doubtful = Vec::new();
    store.read("comparing the vault with the database", |conn| {
        let mut rows = conn.prepare_cached(
            "SELECT sha256, bytes, EXISTS (SELECT 1 FROM upload
                 WHERE of = blob.sha256 AND role = 'original' AND state <> 'verified') AS waits
             FROM blob WHERE here = 1 OR waits",
        )?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let (of, bytes, waits): (_, u64, bool) = (Sha256(row.get(0)?), row.get(1)?, row.get(2)?);
            strangers.remove(&of);
            if !waits && listed.get(&of) != Some(&bytes) {
                doubtful.push(of);
            }
        }
        Ok::<_, StoreError>(())
    })?;
    Ok((strangers, doubtful))
}

impl Store {
    /// Which of these a record speaks of, and whether a row says that they are here.
    fn mentioned(&self, originals: &BTreeSet<Sha256>) -> Result<Vec<(Sha256, bool)>, StoreError> {
        self.read("looking which photos records speak of", |conn| {
            let mut here = conn.prepare_cached("SELECT here FROM blob WHERE sha256 = ?1")?;
            let row = |of: &Sha256| here.query_row([of.0], |row| Ok((*of, row.get(0)?))).optional();
            let rows: Result<Vec<_>, _> = originals.iter().map(row).collect();
            Ok(rows?.into_iter().flatten().collect())
        })
    }

    /// Whether a row says that an original of so many bytes is here.
    pub(super) fn accounts_for(&self, of: Sha256, bytes: u64) -> Result<bool, StoreError> {
        self.read("looking whether a photo is here", |conn| {
            let sql = "SELECT 1 FROM blob WHERE sha256 = ?1 AND here = 1 AND bytes = ?2";
            Ok(conn.prepare_cached(sql)?.exists((of.0, bytes))?)
        })
    }

    /// The vault holds an original, of so many bytes. Whether no row had said so.
    fn found(&self, of: Sha256, bytes: u64) -> Result<bool, StoreError> {
        let came = self.write("writing down a photo that was found", |writing| {
            let came = blobs::came(writing, of)?;
            if came {
                blobs::was_found(writing, of)?;
            }
            // Whoever recorded it may have told another length.
            let sql = "UPDATE blob SET bytes = ?2 WHERE sha256 = ?1 AND bytes <> ?2";
            writing.prepare_cached(sql)?.execute((of.0, bytes))?;
            Ok::<_, StoreError>(came)
        })?;
        if came {
            tracing::warn!(sha256 = %of, "an original was found that no row named as here");
            self.photo_came();
        }
        Ok(came)
    }

    /// Of an original that the office lacks other bytes are here: it is set aside, and told of.
    fn found_spoilt(&self, of: Sha256) -> Result<(), StoreError> {
        let mentions =
            self.read("looking for the record of a photo", |conn| blobs::first_mentions(conn, [of].into()))?;
        let Some(op_id) = mentions.get(&of) else { return Ok(()) };
        tracing::error!(sha256 = %of, "what lies under the name of a photo is another, and the office lacks it");
        self.write("writing down that a photo is spoilt", |writing| {
            let sql = "INSERT INTO upload (of, role, sha256, bytes, op_id, state, code, at)
                       SELECT sha256, 'original', sha256, bytes, ?2, 'set-aside', 'file-damaged', ?3 FROM blob WHERE sha256 = ?1
                       ON CONFLICT (of, role) DO UPDATE SET state = 'set-aside', code = 'file-damaged', sent = 0, url = NULL
                           WHERE state = 'verified'";
            writing.prepare_cached(sql)?.execute(params![of.0, op_id, writing.now().0])?;
            Ok(())
        })
    }

    /// The vault does not hold an original. One that waits to go up is told of when its turn comes.
    pub(super) fn not_found(&self, of: Sha256) -> Result<(), StoreError> {
        let path = self.vault().path(of, Role::Original);
        self.write("writing down that a photo is not here", |writing| {
            // It may have been fetched at this moment.
            if path.exists() {
                return Ok(());
            }
            // What could not be made of other bytes may be made of the right ones.
            let sql = "UPDATE blob SET here = 0,
                           preview = iif(preview_code = 'not-a-picture', preview, iif(preview = 'none', 'pending', preview)),
                           preview_code = iif(preview_code = 'not-a-picture', preview_code, NULL)
                       WHERE sha256 = ?1 AND here = 1 AND NOT EXISTS (SELECT 1 FROM upload
                           WHERE of = blob.sha256 AND role = 'original' AND state <> 'verified')";
            writing.prepare_cached(sql)?.execute([of.0])?;
            Ok(())
        })
    }
}
