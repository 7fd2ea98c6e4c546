//! Plays a story: people tap, machines fail, time passes, and after each step the oracle looks.

mod acts;

use crate::dice::Dice;
use crate::disk::{Disks, untracked};
use crate::estate;
use crate::hub::{self, Hub};
use crate::net::{Link, Net, Target};
use crate::oracle::Oracle;
use crate::story::{Machine, Step, TABLETS};
use crate::tablet::Tablet;
use crate::time::Time;
use crate::tracker::Outside;
use crate::world;
use standpipe_domain::hold::Surroundings;
use standpipe_domain::sync::Trouble;
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// After the last fault, everything is in step within this time.
const CALM: Duration = Duration::from_secs(90 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// For so many minutes all must be well: longer than a request can be late, and than a small picture that was still on its
/// way is waited for before it is asked for again (five minutes, and one until the next turn).
const WELL: u32 = 8;

/// In one seed of so many somebody looks after each event: that takes many times as long.
const CLOSE: u64 = 50;

pub struct Stage {
    pub time: Time,
    pub disks: Disks,
    pub net: Net,
    /// The tracker that the office had before.
    pub outside: Outside,
    pub hub: Hub,
    pub tablets: Vec<Tablet>,
    pub oracle: Oracle,
    /// When machines that are down start again.
    restarts: BTreeMap<Machine, Duration>,
    /// When disks have room again.
    rooms: BTreeMap<Machine, Duration>,
    chance: Dice,
    /// Nobody looks whether promises hold.
    is_unwatched: bool,
    /// Somebody looks after each event that changed anything, and not only after each step.
    is_close: bool,
    pub trace: Vec<String>,
}

/// Makes the folders that every story begins with: a hub with the estate, and tablets that joined it.
pub fn prepare(root: &Path) {
    let mut stage = Stage::new(root, 0);
    stage.hub.start(&stage.net).expect("a fresh hub starts");
    stage.hub.write(estate::drafts()).expect("the estate is planned");
    for number in 0..TABLETS {
        let mut tablet = Tablet::new(&stage.disks, 0, number);
        stage.net.set_link(Target::Hub(number), Link::GOOD);
        tablet.start(&stage.net).expect("a fresh tablet starts");
        let code = stage.hub.code(estate::INSPECTORS[number]).expect("a fresh hub offers a code");
        tablet.join(&stage.net, &code).expect("a fresh tablet joins over a good network");
        stage.tablets.push(tablet);
    }
    let later = stage.time.now() + Duration::from_secs(300);
    while stage.time.step(later) {}
    for tablet in &mut stage.tablets {
        tablet.stop();
    }
    stage.hub.stop(&stage.net);
}

impl Stage {
    fn new(root: &Path, seed: u64) -> Self {
        let time = world::begin();
        let disks = Disks::within(root);
        let outside = Outside::new(seed);
        let hub = Hub::new(&disks, seed, outside.clone());
        Self {
            time,
            net: Net::new(seed, outside.router()),
            outside,
            hub,
            disks,
            tablets: Vec::new(),
            oracle: Oracle::default(),
            restarts: BTreeMap::new(),
            rooms: BTreeMap::new(),
            chance: Dice::apart(seed, "stage"),
            is_unwatched: false,
            is_close: seed.is_multiple_of(CLOSE),
            trace: Vec::new(),
        }
    }

    /// Plays the steps in `root`, which begins as a copy of what [`prepare`] made in `template`. Gives what went wrong;
    /// where nobody watches, only what happened.
    pub fn play(
        root: &Path,
        template: &Path,
        seed: u64,
        steps: &[Step],
        is_watched: bool,
    ) -> (Result<(), String>, Vec<String>) {
        let mut stage = Self { is_unwatched: !is_watched, ..Self::new(root, seed) };
        for name in [hub::NAME.to_owned()].into_iter().chain((0..TABLETS).map(|n| format!("tablet-{n}"))) {
            stage.disks.copy(&template.join(&name), &root.join(&name));
        }
        let acts = catch_unwind(AssertUnwindSafe(|| stage.acts(steps)));
        let result = acts.unwrap_or_else(|panic| Err(format!("panicked: {}", words(&*panic))));
        if let Err(why) = &result {
            stage.note(&format!("VIOLATION {why}"));
        }
        let trace = std::mem::take(&mut stage.trace);
        // What does not end well is said only where nothing worse is.
        let ended = catch_unwind(AssertUnwindSafe(|| stage.end()));
        let ended = ended.map_err(|panic| format!("panicked at the end: {}", words(&*panic)));
        (result.and(ended), trace)
    }

    fn acts(&mut self, steps: &[Step]) -> Result<(), String> {
        self.hub.start(&self.net).map_err(|error| format!("the hub does not start: {error:#}"))?;
        for number in 0..TABLETS {
            let mut tablet = Tablet::new(&self.disks, self.chance.throw(), number);
            tablet.start(&self.net).map_err(|error| format!("a tablet does not start: {error:#}"))?;
            self.tablets.push(tablet);
        }
        for step in steps {
            self.until(step.at)?;
            self.note(&format!("{:?}", step.act));
            self.act(&step.act)?;
            self.bury()?;
            self.look()?;
        }
        self.calm()?;
        self.look()?;
        if self.is_unwatched { Ok(()) } else { Oracle::compare(self) }
    }

    /// Writes down what happens.
    pub fn note(&mut self, line: &str) {
        self.trace.append(&mut self.net.take_trace());
        self.trace.push(format!("{:?} {line}", self.time.now()));
    }

    /// Lets time pass.
    fn until(&mut self, at: Duration) -> Result<(), String> {
        loop {
            let next = self.restarts.values().chain(self.rooms.values()).min().copied();
            let stop = next.map_or(at, |next| next.min(at));
            while self.time.step(stop) {
                self.bury()?;
                self.heed()?;
                self.work_outside();
                if self.is_close && self.disks.have_changed() {
                    self.look()?;
                }
            }
            self.make_room();
            self.restart()?;
            if stop == at {
                return Ok(());
            }
        }
    }

    fn name(&self, machine: Machine) -> String {
        match machine {
            Machine::Hub => hub::NAME.to_owned(),
            Machine::Tablet(number) => self.tablets[number].name.clone(),
        }
    }

    fn machines(&self) -> impl Iterator<Item = Machine> + use<> {
        (0..self.tablets.len()).map(Machine::Tablet).chain([Machine::Hub])
    }

    fn is_up(&self, machine: Machine) -> bool {
        match machine {
            Machine::Hub => self.hub.is_running(),
            Machine::Tablet(number) => self.tablets[number].engine().is_some(),
        }
    }

    /// Machines that lost power stop, and start again after a while.
    fn bury(&mut self) -> Result<(), String> {
        if !self.disks.is_any_dead() {
            return Ok(());
        }
        for machine in self.machines() {
            let name = self.name(machine);
            if self.is_up(machine) && self.disks.is_dead(&name) {
                self.note(&format!("{machine:?} loses power"));
                // What can be seen now was promised.
                self.look()?;
                self.power_off(machine);
            }
        }
        Ok(())
    }

    /// Looks when a screen says that everything is safe, however short.
    fn heed(&mut self) -> Result<(), String> {
        let said: Vec<usize> =
            self.tablets.iter().filter(|tablet| tablet.said_safe()).map(|tablet| tablet.number).collect();
        if said.is_empty() {
            return Ok(());
        }
        self.with_oracle(|oracle, stage| oracle.heed(stage, &said))
    }

    fn power_off(&mut self, machine: Machine) {
        let name = self.name(machine);
        self.disks.kill(&name);
        match machine {
            Machine::Hub => self.stop_hub(),
            Machine::Tablet(number) => self.tablets[number].stop(),
        }
        self.disks.settle(&name, &mut self.chance);
        let down = Duration::from_millis(self.chance.within(500..90_000));
        self.restarts.insert(machine, self.time.now() + down);
    }

    fn stop_hub(&mut self) {
        // First whoever looks into its database: it must close it as if nobody had.
        self.oracle.hub_is_down();
        self.hub.stop(&self.net);
    }

    fn restart(&mut self) -> Result<(), String> {
        for machine in due(&mut self.restarts, self.time.now()) {
            let started = match machine {
                Machine::Hub => self.hub.start(&self.net),
                Machine::Tablet(number) => self.tablets[number].start(&self.net),
            };
            let over = if machine == Machine::Hub && self.hub.is_moved() { " over PostgreSQL" } else { "" };
            self.note(&format!("{machine:?} starts{over}"));
            if self.disks.is_dead(&self.name(machine)) {
                self.note(&format!("{machine:?} loses power while it starts"));
                self.power_off(machine);
                continue;
            }
            if let Err(error) = started {
                // A full disk may let nobody start; whatever else does not is a fault.
                let told = format!("{error:#}");
                let is_full = self.rooms.contains_key(&machine)
                    && ["full", "No space left", "unable to open"].iter().any(|why| told.contains(why));
                if !is_full {
                    return Err(format!("{machine:?} does not start again: {told}"));
                }
                self.note(&format!("{machine:?} does not start: {told}"));
                self.power_off(machine);
                continue;
            }
            if let Machine::Tablet(number) = machine {
                let tablet = &self.tablets[number];
                let engine = tablet.engine().ok_or("a tablet that started runs")?;
                let line = tablet
                    .handle()
                    .map(standpipe_device::sync::Handle::line)
                    .ok_or("a tablet that started syncs")?;
                let today =
                    engine.today(line).map_err(|error| format!("{machine:?} cannot show Today: {error}"))?;
                if today.rescue.is_some() {
                    return Err(format!("{machine:?} lost power, and its database was taken for damaged"));
                }
                self.with_oracle(|oracle, stage| oracle.is_up(stage, number))?;
            }
        }
        Ok(())
    }

    fn make_room(&mut self) {
        for machine in due(&mut self.rooms, self.time.now()) {
            self.disks.set_full(&self.name(machine), false);
            self.note(&format!("{machine:?} has room again"));
        }
    }

    fn look(&mut self) -> Result<(), String> {
        self.with_oracle(Oracle::look)
    }

    fn with_oracle(
        &mut self,
        look: impl FnOnce(&mut Oracle, &Self) -> Result<(), String>,
    ) -> Result<(), String> {
        if self.is_unwatched {
            return Ok(());
        }
        let mut oracle = std::mem::take(&mut self.oracle);
        let seen = untracked(|| look(&mut oracle, self));
        self.oracle = oracle;
        seen
    }

    /// Every fault ends, and the people rest.
    fn calm(&mut self) -> Result<(), String> {
        self.note("calm");
        for machine in self.machines() {
            let name = self.name(machine);
            self.disks.light(&name, u32::MAX, false);
            self.disks.set_full(&name, false);
        }
        self.rooms.clear();
        for number in 0..self.tablets.len() {
            self.net.set_link(Target::Hub(number), Link::GOOD);
            self.tablets[number].stands(Surroundings::default());
            self.speak(number, false)?;
        }
        self.net.set_link(Target::Tracker, Link::GOOD);
        // The tracker may fail still at what is created next, and the hub tries again an hour later.
        let end = self.time.now() + CALM + HOUR * self.outside.moods_to_come();
        let mut is_judged = false;
        // Once all is well, and what was late on the network has come, it stays so.
        let mut well = 0;
        while self.time.now() < end && well < WELL {
            self.until(self.time.now() + Duration::from_secs(60))?;
            self.look()?;
            self.admit();
            self.look_outside()?;
            // The office thinks better of it: who could not record is allowed to, and what was set aside is looked at again,
            // once. What comes after that is not set aside for it.
            if self.hub.is_running() && self.oracle.rights_have_changed() && !is_judged {
                self.oracle.judges_again();
                let mut inspectors = estate::INSPECTORS.iter();
                let given = inspectors.try_for_each(|inspector| self.hub.give_role(*inspector, true));
                let judged = given.and_then(|()| self.hub.judge_again());
                judged.map_err(|error| format!("the hub does not judge again: {error}"))?;
                is_judged = true;
            }
            well = if self.is_well() { well + 1 } else { 0 };
        }
        for number in 0..self.tablets.len() {
            let line = self.tablets[number].handle().map(standpipe_device::sync::Handle::line);
            self.note(&format!("tablet {number} ends: {line:?}"));
        }
        Ok(())
    }

    /// A hub that was restored may not know a tablet that joined since: the office lets it join again.
    fn admit(&mut self) {
        for number in 0..self.tablets.len() {
            let Some((engine, handle)) = self.tablets[number].engine().zip(self.tablets[number].handle())
            else {
                continue;
            };
            let identity = engine.store().identity().ok().flatten();
            let was_revoked = identity.is_some_and(|identity| self.oracle.revoked.contains(&identity.device));
            if handle.line().trouble == Some(Trouble::UnknownTablet) && !was_revoked {
                let joined = self.join(number);
                self.note(&format!("tablet {number} joins again: {}", joined.is_ok()));
            }
        }
    }

    fn is_well(&self) -> bool {
        self.hub.is_running()
            && self.hub.has_filed()
            && self.hub.filings().is_some_and(|known| self.outside.agrees(&known).is_ok())
            && self.tablets.iter().all(|tablet| {
                tablet.handle().is_some_and(|handle| {
                    let line = handle.line();
                    let is_over = line.trouble.as_ref().is_some_and(Trouble::must_join);
                    line.records == 0 && line.photos == 0 && (is_over || line.trouble.is_none())
                })
            })
    }

    fn end(&mut self) {
        self.net.set_hub(None);
        for tablet in &mut self.tablets {
            tablet.stop();
        }
        if self.hub.is_running() {
            self.stop_hub();
        }
    }
}

/// What a panic says.
pub fn words(panic: &(dyn Any + Send)) -> &str {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    words.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic")
}

/// Takes out those whose time has come.
fn due(times: &mut BTreeMap<Machine, Duration>, now: Duration) -> Vec<Machine> {
    let due = times.extract_if(.., |_, at| *at <= now);
    due.map(|(machine, _)| machine).collect()
}
