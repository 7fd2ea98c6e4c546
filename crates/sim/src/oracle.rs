//! Knows what was promised to people, and looks whether it still holds.

mod aside;
mod backup;
mod compare;
mod kept;
mod model;
mod rows;
mod sealed;

use self::aside::Aside;
use self::backup::Backup;
use self::kept::{Kept, Place};
use self::rows::{Log, News, Numbered, database, has_length, read, shelf};
use self::sealed::{Replica, Signed};
use crate::effects::{Effect, happens};
use crate::stage::Stage;
use crate::story::MOST_TABLETS;
use crate::tablet::Tablet;
use rusqlite::Connection;
use standpipe_device::store::{InBackup, Store};
use standpipe_domain::ids::{DeviceId, Sha256};
use standpipe_domain::sync::{SyncLine, SyncState, Trouble};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use uuid::Uuid;

type Verdict = Result<(), String>;

/// What was promised so far.
#[derive(Default)]
pub struct Oracle {
    /// Operations that a tablet committed, and the tablets whose logs hold them as their own.
    ops: BTreeMap<Uuid, BTreeSet<usize>>,
    /// How many operations a transaction has.
    sizes: BTreeMap<Uuid, usize>,
    /// How far each tablet's log was looked through, and how much of each transaction it holds.
    seen: BTreeMap<usize, i64>,
    held: BTreeMap<(usize, Uuid), usize>,
    /// Photos that a screen said were saved, with the tablets that have them.
    photos: BTreeMap<Sha256, (u64, BTreeSet<usize>)>,
    /// Those that wait on every tablet that has them, since they were taken.
    waiting: BTreeSet<Sha256>,
    /// Everything that a tablet's log was seen to hold.
    logs: BTreeMap<usize, BTreeSet<Uuid>>,
    /// What each tablet keeps, as of the last look.
    kept: BTreeMap<usize, Kept>,
    /// Photos whose bytes were looked at since the machine that has them started.
    hashed: BTreeSet<(Place, Sha256)>,
    /// What was signed.
    signed: Signed,
    /// Devices that the office withdrew.
    pub revoked: BTreeSet<DeviceId>,
    /// Of which tablet another one is a copy.
    origins: BTreeMap<usize, usize>,
    /// Tablets that were put back to an old copy, and were not looked at since.
    returned: BTreeSet<usize>,
    /// Tablets that may not know yet that the hub was restored.
    stale: BTreeSet<usize>,
    hub: Office,
    /// The last whole backup.
    backup: Backup,
    /// The hub was put back to an old state once.
    was_restored: bool,
    /// Somebody's role was taken or given.
    rights_changed: bool,
    /// What was aside was judged again, not for a tablet that asked.
    was_judged_again: bool,
}

/// What the hub was seen to hold.
#[derive(Default)]
struct Office {
    seq: u64,
    ops: BTreeSet<Uuid>,
    /// Those that are signatures.
    seals: BTreeSet<Uuid>,
    quarantine: BTreeSet<Uuid>,
    held: BTreeMap<Uuid, usize>,
    epoch: Option<Uuid>,
    /// What it held before it stopped: all of that must be there again.
    before: Option<BTreeSet<Uuid>>,
    /// Its database, while it runs, and as of which change what is signed there was looked at.
    database: Option<Connection>,
    change: Option<i64>,
}

impl Office {
    /// Also what it held before it stopped, until it was looked at again.
    fn has(&self, op: &Uuid) -> bool {
        let is_in = |ops: &BTreeSet<Uuid>| ops.contains(op);
        is_in(&self.ops) || is_in(&self.quarantine) || self.before.as_ref().is_some_and(is_in)
    }
}

impl Oracle {
    /// A screen said that this photo is saved, on a tablet on which originals wait, or do not.
    pub fn photo(&mut self, tablet: usize, sha256: Sha256, bytes: u64, waits: bool) {
        if waits && !self.photos.contains_key(&sha256) {
            self.waiting.insert(sha256);
        }
        let homes = &mut self.photos.entry(sha256).or_insert_with(|| (bytes, BTreeSet::new())).1;
        if homes.iter().any(|home| *home != tablet) {
            happens(Effect::SamePhoto);
        }
        homes.insert(tablet);
    }

    pub fn rights_change(&mut self) {
        self.rights_changed = true;
    }

    pub fn judges_again(&mut self) {
        self.was_judged_again = true;
    }

    pub fn rights_have_changed(&self) -> bool {
        self.rights_changed
    }

    pub fn hub_is_down(&mut self) {
        let Office { mut ops, quarantine, before, .. } = std::mem::take(&mut self.hub);
        ops.extend(quarantine);
        // Down again before anybody had looked.
        ops.extend(before.into_iter().flatten());
        self.hub.before = Some(ops);
        self.hashed.retain(|(place, _)| place.is_some());
    }

    pub fn hub_was_restored(&mut self) {
        self.hub = Office::default();
        self.was_restored = true;
        self.signed.hub_was_restored();
        self.hashed.retain(|(place, _)| place.is_some());
        self.stale = (0..MOST_TABLETS).collect();
        self.forget_what_is_gone();
        self.photos.retain(|_, (_, homes)| !homes.is_empty());
    }

    /// Which of the first tablets this one was copied from.
    pub fn origin(&self, tablet: usize) -> usize {
        self.origins.get(&tablet).map_or(tablet, |of| self.origin(*of))
    }

    pub fn returned(&mut self, tablet: usize) {
        self.returned.insert(tablet);
        self.kept.remove(&tablet);
    }

    pub fn cloned(&mut self, tablet: usize, clone: usize) {
        for homes in self.ops.values_mut().chain(self.photos.values_mut().map(|(_, homes)| homes)) {
            if homes.contains(&tablet) {
                homes.insert(clone);
            }
        }
        self.origins.insert(clone, tablet);
        self.seen.insert(clone, self.seen.get(&tablet).copied().unwrap_or(0));
        self.logs.insert(clone, self.logs.get(&tablet).cloned().unwrap_or_default());
        let held: Vec<_> = self
            .held
            .iter()
            .filter(|((of, _), _)| *of == tablet)
            .map(|((_, tx), held)| (*tx, *held))
            .collect();
        self.held.extend(held.into_iter().map(|(tx, held)| ((clone, tx), held)));
        if self.stale.contains(&tablet) {
            self.stale.insert(clone);
        }
    }

    /// Looks at everything that is new since the last look.
    pub fn look(&mut self, stage: &Stage) -> Verdict {
        self.backup.look(&stage.hub.backup)?;
        self.look_at_hub(stage)?;
        // The hub sends an issue outside again only where it may.
        stage.outside.wrong().map_or(Ok(()), Err)?;
        stage.net.asked_too_often().map_or(Ok(()), Err)?;
        for tablet in &stage.tablets {
            self.look_at_tablet(stage, tablet.number, false)?;
        }
        self.look_at_what_waits(stage)?;
        self.look_at_what_is_kept(stage)?;
        self.nothing_is_lost(stage)
    }

    /// Originals wait where their person chose so.
    fn look_at_what_waits(&mut self, stage: &Stage) -> Verdict {
        let photos = &self.photos;
        self.waiting.retain(|photo| {
            photos.get(photo).is_some_and(|(_, homes)| {
                !homes.is_empty()
                    && homes.iter().all(|home| stage.tablets.get(*home).is_some_and(Tablet::holds_originals))
            })
        });
        match self.waiting.iter().find(|photo| self.is_on_shelf(&stage.hub.folder, **photo)) {
            Some(photo) => Err(format!("the photo {photo} was to wait, and is at the hub")),
            None => Ok(()),
        }
    }

    /// Looks at tablets whose screens have just said that everything is safe.
    pub fn heed(&mut self, stage: &Stage, said: &[usize]) -> Verdict {
        self.look_at_hub(stage)?;
        said.iter().try_for_each(|number| self.look_at_tablet(stage, *number, true))
    }

    fn is_at_hub(&self, op: &Uuid) -> bool {
        self.hub.has(op)
    }

    fn look_at_hub(&mut self, stage: &Stage) -> Verdict {
        if !stage.hub.is_running() {
            return Ok(());
        }
        let office = &mut self.hub;
        let database = if let Some(database) = office.database.take() {
            database
        } else {
            office.change = None;
            database(&stage.hub)?
        };
        let told = |error: rusqlite::Error| format!("the oracle cannot read the hub: {error}");
        let all = database.unchecked_transaction().map_err(told)?;
        let News { epoch, count, ops } = News::after(&all, office.seq).map_err(told)?;
        office.epoch = epoch;
        self.backup.holds_what_is_told(&all)?;
        office.seals.extend(ops.iter().filter(|row| row.is_seal).map(|row| row.op));
        let change = all.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(told)?;
        if office.change.replace(change) != Some(change) {
            let at = Replica::Hub(&office.seals);
            self.signed.look(&all, &at, self.was_restored).map_err(told)??;
        }
        let aside = aside::of_hub(&all).map_err(told)?;
        drop(all);
        office.database = (!stage.hub.is_moved()).then_some(database);
        let mut changed = BTreeSet::new();
        for Numbered { seq, op, tx, is_seal } in ops {
            if seq != office.seq + 1 {
                return Err(format!("the hub's numbers jump from {} to {seq}", office.seq));
            }
            office.seq = seq;
            office.ops.insert(op);
            *office.held.entry(tx).or_default() += 1;
            changed.insert(tx);
            if is_seal {
                happens(Effect::Signed);
            }
        }
        if count != office.seq {
            return Err(format!("the hub has {count} operations, and had {}", office.seq));
        }
        office.quarantine.clear();
        office.quarantine.extend(aside.keys());
        if let Some(before) = office.before.take() {
            let missing =
                before.iter().find(|op| !office.ops.contains(op) && !office.quarantine.contains(op));
            if let Some(op) = missing {
                return Err(format!("the hub lost the operation {op}, which it had committed"));
            }
        }
        for tx in changed {
            let held = office.held.get(&tx).copied().unwrap_or(0);
            match self.sizes.get(&tx) {
                Some(size) if *size != held => {
                    return Err(format!(
                        "the hub shows {held} of the {size} operations of the transaction {tx}"
                    ));
                }
                Some(_) => {}
                None => drop(self.sizes.insert(tx, held)),
            }
        }
        aside.values().for_each(Aside::is_counted);
        match aside.iter().find(|(_, aside)| !self.knows_why(aside)) {
            Some((op, aside)) => Err(format!(
                "the hub set the operation {op} aside as {}, for which there is no cause",
                aside.code
            )),
            None => Ok(()),
        }
    }

    fn look_at_tablet(&mut self, stage: &Stage, number: usize, said_safe: bool) -> Verdict {
        let tablet = &stage.tablets[number];
        let (Some(engine), Some(handle)) = (tablet.engine(), tablet.handle()) else { return Ok(()) };
        if stage.net.was_told_older(number) {
            says_too_old(number, &handle.line(), said_safe)?;
        }
        let seen = self.seen.get(&number).copied().unwrap_or(0);
        let log = read(engine.store(), |conn| Log::after(conn, seen))?;
        let mut changed = BTreeSet::new();
        let mut own: BTreeMap<Uuid, usize> = BTreeMap::new();
        for row in &log.news {
            *self.held.entry((number, row.tx)).or_default() += 1;
            changed.insert(row.tx);
            if row.is_own {
                self.ops.entry(row.op).or_default().insert(number);
                *own.entry(row.tx).or_default() += 1;
            }
            self.seen.insert(number, row.seq);
            self.logs.entry(number).or_default().insert(row.op);
        }
        let had = self.logs.get(&number).map_or(0, BTreeSet::len);
        if log.count != had {
            return Err(format!("tablet {number} has {} operations in its log, and had {had}", log.count));
        }
        for (tx, size) in own {
            self.sizes.entry(tx).or_insert(size);
        }
        for tx in changed {
            let held = self.held.get(&(number, tx)).copied().unwrap_or(0);
            let size = self.sizes.get(&tx).copied().unwrap_or(held);
            if held != size {
                return Err(format!(
                    "tablet {number} shows {held} of the {size} operations of the transaction {tx}"
                ));
            }
        }
        if let Some(op) = log.durable.iter().find(|op| !self.backup.ops.contains(op)) {
            return Err(format!(
                "tablet {number} counts the operation {op} as backed up; it is in no backup"
            ));
        }
        if self.stale.contains(&number) && log.epoch == self.hub.epoch && log.epoch.is_some() {
            // With the same epoch only the checksum tells; the end of the story looks at that.
            let is_known =
                tablet.has_doubted() && handle.line().state == SyncState::Safe && stage.hub.is_running();
            let mut own = self.ops.iter().filter(|(_, homes)| homes.contains(&number));
            if is_known && own.all(|(op, _)| self.is_at_hub(op)) {
                self.stale.remove(&number);
            }
        }
        // What it says anew, and not only once more, it says after it has met the hub as it is now.
        let knows = said_safe && tablet.has_doubted() || !self.stale.contains(&number);
        if !knows || !stage.hub.is_running() {
            return Ok(());
        }
        if log.epoch == self.hub.epoch && log.behind_cursor != log.cursor {
            return Err(format!(
                "tablet {number} has its cursor at {} and {} of the operations behind it",
                log.cursor, log.behind_cursor
            ));
        }
        if let Some(op) = log.acknowledged.iter().find(|op| !self.is_at_hub(op)) {
            return Err(format!(
                "tablet {number} counts the operation {op} as acknowledged; the hub has it not"
            ));
        }
        for photo in &log.verified {
            if !self.is_on_shelf(&stage.hub.folder, *photo) {
                return Err(format!(
                    "tablet {number} shows the photo {photo} as safe at the office; it is not there"
                ));
            }
        }
        if said_safe || handle.line().state == SyncState::Safe {
            self.is_in_backup(stage, number, engine.store())?;
            let waits = self.ops.iter().find(|(op, homes)| homes.contains(&number) && !self.is_at_hub(op));
            if let Some((op, _)) = waits {
                return Err(format!(
                    "tablet {number} says that everything is safe; the operation {op} is not"
                ));
            }
            let photos = self.photos.iter().filter(|(_, (_, homes))| homes.contains(&number));
            for (photo, _) in photos {
                if !self.is_on_shelf(&stage.hub.folder, *photo) {
                    return Err(format!(
                        "tablet {number} says that everything is safe; the photo {photo} is not"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Where a tablet that was left would be forgotten now, the last backup holds everything.
    fn is_in_backup(&self, stage: &Stage, number: usize, store: &Store) -> Verdict {
        let told = store.in_backup().map_err(|error| format!("the oracle cannot read a tablet: {error}"))?;
        if told != InBackup::Held {
            return Ok(());
        }
        let own = |homes: &BTreeSet<usize>| homes.contains(&number);
        let op = self.ops.iter().find(|(op, homes)| own(homes) && !self.backup.ops.contains(op));
        if let Some((op, _)) = op {
            return Err(format!(
                "tablet {number} takes the operation {op} for backed up; it is in no backup"
            ));
        }
        let is_in = |photo: &Sha256, bytes| has_length(&shelf(&stage.hub.backup, *photo), bytes);
        let photo = self.photos.iter().find(|(photo, (bytes, homes))| own(homes) && !is_in(photo, *bytes));
        photo.map_or(Ok(()), |(photo, _)| {
            let found = shelf(&stage.hub.backup, *photo).metadata().map(|file| file.len());
            Err(format!(
                "tablet {number} takes the photo {photo} for backed up; the backup has {found:?} of it"
            ))
        })
    }

    fn is_on_shelf(&self, folder: &Path, photo: Sha256) -> bool {
        let path = shelf(folder, photo);
        self.photos.get(&photo).map_or_else(|| path.is_file(), |(bytes, _)| has_length(&path, *bytes))
    }
}

/// A tablet that the hub has told that its app is too old says so, until it greets the hub again.
fn says_too_old(number: usize, line: &SyncLine, said_safe: bool) -> Verdict {
    match (&line.trouble, line.state) {
        (Some(Trouble::HubNewer), SyncState::NeedsAttention) => happens(Effect::SaidTooOld),
        // Something else was in the way after that, or it has just started.
        (Some(_), state) if state != SyncState::Safe && !said_safe => {}
        _ => return Err(format!("tablet {number} was told that its app is too old, and says {line:?}")),
    }
    Ok(())
}
