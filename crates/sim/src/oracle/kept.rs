//! Where everything is that must not be lost: at the hub, or on a tablet, as it stands there at this step.

use super::rows::{has_length, read, read_still, shelf};
use super::sealed::Replica;
use super::{Oracle, Verdict};
use crate::effects::{Effect, happens};
use crate::stage::Stage;
use rusqlite::Connection;
use standpipe_device::store::blobs::Role;
use standpipe_device::vault::Vault;
use standpipe_domain::ids::Sha256;
use standpipe_oplog::chain::sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use uuid::Uuid;

/// What a tablet keeps for the hub, as its own tables say.
#[derive(Default)]
pub(super) struct Kept {
    /// Of a tablet that has stopped: which of its lives has ended. Until it starts again nothing of it changes.
    ended: Option<u32>,
    /// Everything in its log, where that counts.
    log: BTreeSet<Uuid>,
    /// What its chain holds behind the hub's last acknowledgement.
    waiting: BTreeSet<Uuid>,
    /// The originals that it is to bring to the hub, and whether it takes them for arrived.
    originals: BTreeMap<Sha256, bool>,
}

impl Kept {
    fn of(tablet: &Connection, with_log: bool) -> rusqlite::Result<Self> {
        let sql = if with_log { "SELECT op_id FROM op" } else { "SELECT op_id FROM op WHERE 0" };
        let log = tablet.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let waiting = tablet
            .prepare_cached(
                "SELECT op_id FROM op JOIN chain ON op.incarnation = chain.incarnation
                 WHERE op.dev_seq > chain.acknowledged",
            )?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let originals = tablet
            .prepare_cached("SELECT of, state = 'verified' FROM upload WHERE role = 'original'")?
            .query_map([], |row| Ok((Sha256(row.get(0)?), row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        Ok(Self { ended: None, log, waiting, originals })
    }
}

/// Where a photo was found and hashed: at the hub, or on a tablet.
pub(super) type Place = Option<usize>;

impl Oracle {
    /// Reads what every tablet keeps by now, and what it shows of what was signed; also those that do not run.
    pub(super) fn look_at_what_is_kept(&mut self, stage: &Stage) -> Verdict {
        for tablet in &stage.tablets {
            let (number, life) = (tablet.number, tablet.life());
            let (signed, at) = (&mut self.signed, Replica::Tablet(number));
            let was_restored = self.was_restored;
            if let Some(engine) = tablet.engine() {
                let with_log = self.stale.contains(&number);
                let (kept, shown) = read(engine.store(), |conn| {
                    Ok((Kept::of(conn, with_log)?, signed.look(conn, &at, was_restored)?))
                })?;
                self.kept.insert(number, kept);
                shown?;
            } else if self.kept.get(&number).is_none_or(|kept| kept.ended != Some(life)) {
                let (kept, shown) = read_still(&tablet.folder, |conn| {
                    Ok((Kept::of(conn, true)?, signed.look(conn, &at, was_restored)?))
                })?;
                // Whatever was not made last is gone by now.
                self.hashed.retain(|(place, _)| *place != Some(number));
                self.holds_all(stage, number, &kept.log)?;
                self.kept.insert(number, Kept { ended: Some(life), ..kept });
                shown?;
            }
        }
        Ok(())
    }

    /// Everything that anybody recorded is at the hub, or stands in line to go there.
    pub(super) fn nothing_is_lost(&mut self, stage: &Stage) -> Verdict {
        // Whoever does not know that the hub was put back to an old state still counts as arrived what it holds.
        let keeps = |op: &Uuid| {
            let one = |(number, kept): (&usize, &Kept)| {
                kept.waiting.contains(op) || self.stale.contains(number) && kept.log.contains(op)
            };
            self.kept.iter().any(one)
        };
        if let Some(op) = self.ops.keys().find(|op| !self.is_at_hub(op) && !keeps(op)) {
            return Err(format!("the operation {op} is not at the hub, and no tablet has it to send"));
        }
        for (photo, (bytes, _)) in &self.photos {
            let Some((place, path)) = self.place_of(stage, *photo, *bytes) else {
                return Err(format!("the photo {photo} is not at the hub, and no tablet has it to send"));
            };
            if self.hashed.insert((place, *photo)) {
                let is_whole = std::fs::read(&path).is_ok_and(|found| sha256(&found) == *photo);
                if !is_whole {
                    return Err(format!("the photo {photo} has other bytes at {}", path.display()));
                }
            }
        }
        Ok(())
    }

    /// Where a photo is that counts: on the hub's shelf, else where a tablet is to send it from.
    fn place_of(&self, stage: &Stage, photo: Sha256, bytes: u64) -> Option<(Place, PathBuf)> {
        let at_hub = shelf(&stage.hub.folder, photo);
        if has_length(&at_hub, bytes) {
            return Some((None, at_hub));
        }
        self.kept.iter().find_map(|(number, kept)| {
            let is_sent = kept.originals.get(&photo)?;
            let path = Vault::at(&stage.tablets[*number].folder).path(photo, Role::Original);
            let waits = !is_sent || self.stale.contains(number);
            (waits && has_length(&path, bytes)).then_some((Some(*number), path))
        })
    }

    /// A tablet has started again: whatever it committed is there.
    pub fn is_up(&mut self, stage: &Stage, number: usize) -> Verdict {
        let Some(engine) = stage.tablets[number].engine() else { return Ok(()) };
        let kept = read(engine.store(), |conn| Kept::of(conn, true))?;
        self.holds_all(stage, number, &kept.log)
    }

    /// Whether a tablet that was off has all that it had committed and fetched.
    fn holds_all(&mut self, stage: &Stage, number: usize, log: &BTreeSet<Uuid>) -> Verdict {
        let was_returned = self.returned.remove(&number);
        for (op, homes) in &mut self.ops {
            if !homes.contains(&number) || log.contains(op) {
                continue;
            }
            if !was_returned {
                return Err(format!("tablet {number} lost the operation {op}, which it had committed"));
            }
            homes.remove(&number);
        }
        let known = self.logs.entry(number).or_default();
        if was_returned {
            if !known.is_subset(log) {
                happens(Effect::Returned);
            }
            self.seen.remove(&number);
            self.held.retain(|(of, _), _| *of != number);
            known.clone_from(log);
            self.forget_what_is_gone();
        } else if let Some(op) = known.iter().find(|op| !log.contains(op)) {
            return Err(format!("tablet {number} lost the operation {op}, which it had fetched"));
        }
        let vault = Vault::at(&stage.tablets[number].folder);
        let mut gone = Vec::new();
        for (photo, (bytes, homes)) in &mut self.photos {
            let path = vault.path(*photo, Role::Original);
            if !homes.contains(&number) || has_length(&path, *bytes) {
                continue;
            }
            if !was_returned {
                return Err(format!("tablet {number} lost the photo {photo}, which it had saved"));
            }
            homes.remove(&number);
            if homes.is_empty() && !has_length(&shelf(&stage.hub.folder, *photo), *bytes) {
                gone.push(*photo);
            }
        }
        for photo in gone {
            self.photos.remove(&photo);
        }
        Ok(())
    }

    /// Somebody put a machine back to an old state: what nobody else had is gone with it. A colleague's tablet gives a hub
    /// back what it had fetched.
    pub(super) fn forget_what_is_gone(&mut self) {
        let (hub, logs) = (&self.hub, &self.logs);
        self.ops.retain(|op, homes| {
            !homes.is_empty() || hub.has(op) || logs.values().any(|log| log.contains(op))
        });
    }
}
