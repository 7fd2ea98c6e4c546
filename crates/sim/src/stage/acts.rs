//! What happens at a step of a story: to the machines, and in the office. What people do at a tablet stands in
//! [`crate::people`].

use super::Stage;
use crate::disk::untracked;
use crate::effects::{Effect, happens};
use crate::estate;
use crate::net::Target;
use crate::people;
use crate::story::{Act, MOST_TABLETS, Machine};
use crate::tablet::{self, Tablet};
use serde_json::json;
use standpipe_domain::hold::{Choices, Surroundings};
use standpipe_domain::record::entity;
use standpipe_hub::backup::Manifest;
use standpipe_oplog::pen::Draft;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use uuid::Uuid;

impl Stage {
    pub(super) fn act(&mut self, act: &Act) -> Result<(), String> {
        // A shortened story may speak of a tablet that was never copied.
        if act.tablet().is_some_and(|tablet| tablet >= self.tablets.len()) {
            return Ok(());
        }
        match act {
            Act::Link { tablet, link } => self.net.set_link(Target::Hub(*tablet), *link),
            Act::LinkOutside { link } => self.net.set_link(Target::Tracker, *link),
            Act::Tracker { mood, seconds } => {
                self.outside.will_be(*mood, Duration::from_secs(u64::from(*seconds)));
            }
            Act::InTracker { which, deed } => self.outside.will(*which, *deed),
            Act::Stand { tablet, stands, waits } => self.stand(*tablet, *stands, *waits),
            // Of a machine that is down too: power may fail while it recovers.
            Act::Fuse { machine, changes, after } => self.disks.light(&self.name(*machine), *changes, *after),
            Act::Full { machine, seconds } => {
                self.disks.set_full(&self.name(*machine), true);
                self.rooms.insert(*machine, self.time.now() + Duration::from_secs(u64::from(*seconds)));
            }
            Act::Clock { machine, ahead } => match machine {
                Machine::Hub => self.hub.ahead.store(*ahead, Relaxed),
                Machine::Tablet(tablet) => self.tablets[*tablet].ahead.store(*ahead, Relaxed),
            },
            Act::Backup => {
                let made = self.hub.back_up();
                self.note(&format!("the backup: {:?}", made.map(|made| made.is_ok())));
            }
            Act::Restore { tells } => self.restore_hub(*tells)?,
            Act::Move => self.move_hub()?,
            Act::Beside { milliseconds } => {
                let written = self.hub.write_beside(Duration::from_millis(*milliseconds));
                self.note(&format!("beside the hub: {written:?}"));
            }
            Act::Clone { tablet } => self.clone_tablet(*tablet)?,
            Act::Join { tablet } => {
                let joined = self.join(*tablet);
                self.note(&format!("tablet {tablet} joins again: {}", joined.is_ok()));
            }
            Act::Copy { tablet } => {
                let folder = self.disks.folder(&self.name(Machine::Tablet(*tablet)));
                self.with_tablet_off(*tablet, |stage| {
                    stage.disks.copy(&folder, &stage.disks.folder(&format!("copy-{tablet}")));
                })?;
            }
            Act::Return { tablet } => {
                let copy = self.disks.folder(&format!("copy-{tablet}"));
                if copy.exists() {
                    let folder = self.disks.folder(&self.name(Machine::Tablet(*tablet)));
                    self.with_tablet_off(*tablet, |stage| stage.disks.copy(&copy, &folder))?;
                    self.oracle.returned(*tablet);
                }
            }
            Act::Update { tablet } => {
                let folder = self.disks.folder(&self.name(Machine::Tablet(*tablet)));
                let older = self.disks.folder(&format!("older-{tablet}"));
                self.with_tablet_off(*tablet, |stage| stage.disks.copy(&folder, &older))?;
                untracked(|| tablet::as_older(&older)).map_err(|error| format!("an older app: {error}"))?;
                self.disks.copy(&older, &folder);
            }
            Act::Speak { tablet, is_older } => self.speak(*tablet, *is_older)?,
            Act::Rename { .. }
            | Act::Delete { .. }
            | Act::Import { .. }
            | Act::Revoke { .. }
            | Act::Step { tablet: None, .. }
            | Act::Claim { .. } => self.office(act),
            Act::Role { inspector, inspects } => {
                self.oracle.rights_change();
                let given = self.hub.give_role(estate::INSPECTORS[*inspector], *inspects);
                self.note(&format!("the office: {}", given.is_ok()));
            }
            Act::JudgeAgain => {
                self.oracle.judges_again();
                let judged = self.hub.judge_again();
                self.note(&format!("the office: {}", judged.is_ok()));
            }
            Act::Ask { tablet } => {
                if let Some(handle) = self.tablets[*tablet].handle() {
                    handle.sync_now();
                }
            }
            act => people::act(self, act)?,
        }
        Ok(())
    }

    /// Whoever works in the tracker outside does it when their time has come.
    pub(super) fn work_outside(&mut self) {
        let Some((which, deed)) = self.outside.due() else { return };
        let known = self.hub.filings().unwrap_or_default();
        let done = self.outside.does(which, deed, &known);
        self.note(&format!("in the tracker: {deed:?} {done:?}"));
    }

    /// The hub would look once a day whether anything was deleted in the tracker outside; it does when it starts.
    pub(super) fn look_outside(&mut self) -> Result<(), String> {
        if self.hub.is_running() && self.outside.hub_looks_again() {
            self.look()?;
            self.stop_hub();
            self.restarts.insert(Machine::Hub, self.time.now() + Duration::from_millis(300));
        }
        Ok(())
    }

    /// A tablet's app is too old for the hub, or is updated, for which it starts again.
    pub(super) fn speak(&mut self, number: usize, is_older: bool) -> Result<(), String> {
        if is_older {
            self.net.set_older(number, true);
        } else if self.net.is_older(number) {
            if self.net.was_told_older(number) {
                happens(Effect::Updated);
            }
            self.with_tablet_off(number, |stage| stage.net.set_older(number, false))?;
        }
        Ok(())
    }

    /// What a tablet stands in changes, and its person may choose whether originals wait.
    fn stand(&mut self, number: usize, stands: Surroundings, waits: Option<bool>) {
        let tablet = &mut self.tablets[number];
        tablet.stands(stands);
        if let Some((engine, waits)) = tablet.engine().zip(waits) {
            let chosen = engine.choose(Choices { wait_for_wifi: waits, wait_for_battery: waits });
            self.note(&format!("tablet {number}: {}", chosen.is_ok()));
        }
    }

    pub(super) fn join(&mut self, number: usize) -> anyhow::Result<()> {
        let code = self.hub.code(estate::INSPECTORS[self.oracle.origin(number)])?;
        self.tablets[number].join(&self.net, &code)
    }

    /// Stops a tablet in an orderly way, does something to its folder, and starts it again.
    fn with_tablet_off(&mut self, number: usize, work: impl FnOnce(&mut Self)) -> Result<(), String> {
        let machine = Machine::Tablet(number);
        if self.is_up(machine) {
            self.look()?;
            self.tablets[number].stop();
            self.restarts.insert(machine, self.time.now());
        }
        work(self);
        Ok(())
    }

    fn clone_tablet(&mut self, number: usize) -> Result<(), String> {
        let clone = self.tablets.len();
        if clone >= MOST_TABLETS {
            return Ok(());
        }
        let folder = self.disks.folder(&self.name(Machine::Tablet(number)));
        let seed = self.chance.throw();
        let tablet = Tablet::new(&self.disks, seed, clone);
        tablet.ahead.store(self.tablets[number].ahead.load(Relaxed), Relaxed);
        let to = tablet.folder.clone();
        self.with_tablet_off(number, |stage| stage.disks.copy(&folder, &to))?;
        self.tablets.push(tablet);
        self.net.set_link(Target::Hub(clone), self.net.link(Target::Hub(number)));
        self.net.set_older(clone, self.net.is_older(number));
        self.oracle.cloned(number, clone);
        happens(Effect::Cloned);
        self.restarts.insert(Machine::Tablet(clone), self.time.now() + Duration::from_millis(700));
        Ok(())
    }

    /// The hub's disk is lost, and another one takes its place, on which the last whole backup is restored.
    fn restore_hub(&mut self, tells: bool) -> Result<(), String> {
        let backup = untracked(|| Manifest::find(&self.hub.backup)).map_err(|error| error.to_string())?;
        let Some(backup) = backup else { return Ok(()) };
        if self.hub.is_running() {
            self.look()?;
            self.stop_hub();
            self.restarts.insert(Machine::Hub, self.time.now() + Duration::from_millis(300));
        }
        self.disks.empty(&self.hub.folder);
        self.hub.lose((!tells).then_some(backup.holds.epoch));
        self.oracle.hub_was_restored();
        self.outside.hub_was_restored();
        self.tablets.iter().for_each(Tablet::hub_was_restored);
        Ok(())
    }

    /// The hub is stopped, and its database moved before it starts again.
    fn move_hub(&mut self) -> Result<(), String> {
        if self.hub.is_running() {
            self.look()?;
            self.stop_hub();
            self.restarts.insert(Machine::Hub, self.time.now() + Duration::from_millis(300));
        }
        self.hub.moves();
        Ok(())
    }

    fn office(&mut self, act: &Act) {
        let moved = match act {
            Act::Step { which, .. } => Some(self.hub.move_issue(*which)),
            Act::Claim { which } => Some(self.hub.claim(*which)),
            _ => None,
        };
        if let Some(moved) = moved {
            self.note(&format!("the office: {moved:?}"));
            return;
        }
        let drafts = match act {
            Act::Rename { stop, name } => {
                let id = estate::asset(*stop).0;
                let value = json!({ "zh-CN": format!("{name}"), "en": format!("{name}") });
                vec![Draft::set(entity::ASSET, id, "name", value, None)]
            }
            Act::Delete { stop, what } => {
                let deleted = estate::deleted(*stop, *what).into_iter().filter_map(|(entity, id)| {
                    let saw = self.hub.ops_on(id);
                    (!saw.is_empty()).then(|| Draft::delete(entity, id, saw))
                });
                deleted.collect()
            }
            Act::Import { records } => (0..*records)
                .map(|number| {
                    let id = Uuid::from_u128(0x1_0000 + u128::from(number));
                    let fields =
                        serde_json::Map::from_iter([("name".to_owned(), json!(format!("{number}")))]);
                    Draft::record("import", id, fields)
                })
                .collect(),
            _ => Vec::new(),
        };
        if let Act::Revoke { tablet } = act {
            let identity =
                self.tablets[*tablet].engine().and_then(|engine| engine.store().identity().ok().flatten());
            if let Some(identity) = identity {
                let done = self.hub.revoke(identity.device);
                // Where power fails at that it may have been withdrawn.
                if !matches!(done, Ok(false)) {
                    self.oracle.revoked.insert(identity.device);
                }
                self.note(&format!("the office: {}", done.is_ok()));
            }
            return;
        }
        let written = self.hub.write(drafts);
        self.note(&format!("the office: {}", written.is_ok()));
    }
}
