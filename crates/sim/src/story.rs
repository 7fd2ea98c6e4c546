//! What happens in a simulation, step by step: made from the seed, short enough to read, and shorter still once shrunk.

mod beside;
mod meet;
#[cfg(test)]
mod tests;

use crate::dice::Dice;
use crate::net::Link;
use serde::{Deserialize, Serialize};
use standpipe_domain::hold::Surroundings;
use std::time::Duration;

/// How many tablets begin, and how many there can be with those that are copied from others.
pub const TABLETS: usize = 3;
pub const MOST_TABLETS: usize = 5;

/// A machine: a tablet, or the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Machine {
    Tablet(usize),
    Hub,
}

/// What a later version of the app may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Later {
    /// A field that a check does not have so far.
    Field,
    /// A kind of operation.
    Kind,
    /// A kind of record.
    Entity,
}

/// How the tracker outside answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mood {
    /// Each request may fail, before it was done or behind that.
    Fails,
    /// The hub's key is not what it was.
    Locked,
    /// Somebody in between answers everything with a page.
    Covered,
    /// One issue of four is not as it must be.
    Refuses { which: u8 },
}

/// What somebody in the office deletes, having seen all of it that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deleted {
    /// A check, and not the findings that stand in it.
    #[default]
    Check,
    /// A check with its findings.
    Stop,
    Finding,
    /// The round, and not what stands in it.
    Round,
    /// The round with all that stands in it.
    All,
}

/// What somebody does in the tracker outside to an issue that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    Deletes,
    /// With all that it carries, in their own name.
    Copies,
    Closes,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    /// Somebody opens a check. What they do there next they do from what the screen shows now, whatever comes in between.
    Look {
        tablet: usize,
        stop: usize,
    },
    /// Somebody answers an item.
    Answer {
        tablet: usize,
        stop: usize,
        item: usize,
        fails: bool,
    },
    /// Somebody says how bad a failed item is.
    Say {
        tablet: usize,
        stop: usize,
        item: usize,
        /// Which of a few; the same words twice are one.
        #[serde(default)]
        words: u64,
    },
    /// Somebody takes a photo. Two with the same `bytes` are alike.
    Photo {
        tablet: usize,
        stop: usize,
        item: usize,
        bytes: u64,
        length: u32,
        is_picture: bool,
    },
    TakeOff {
        tablet: usize,
        stop: usize,
    },
    Choose {
        tablet: usize,
        stop: usize,
    },
    /// Somebody answers what is left, and the owners sign.
    Sign {
        tablet: usize,
    },
    /// Somebody moves an issue on: at a tablet, or in the office.
    Step {
        tablet: Option<usize>,
        which: u64,
    },
    /// The office has an issue seen to, by all steps that this takes, until somebody claims that it is done.
    Claim {
        which: u64,
    },
    Amend {
        tablet: usize,
        stop: usize,
        item: usize,
        fails: bool,
    },
    /// The tablet has a later version of the app, which writes what this one does not know.
    Later {
        tablet: usize,
        stop: usize,
        what: Later,
    },
    /// The person taps "sync now".
    Ask {
        tablet: usize,
    },
    /// The office changes what an asset is called, deletes something, or writes a large transaction.
    Rename {
        stop: usize,
        name: u64,
    },
    Delete {
        stop: usize,
        #[serde(default)]
        what: Deleted,
    },
    Import {
        records: u32,
    },
    /// A tablet's link changes.
    Link {
        tablet: usize,
        link: Link,
    },
    /// The hub's link to the tracker outside changes.
    LinkOutside {
        link: Link,
    },
    /// The tracker outside answers otherwise, for so long, beginning with what is created there next.
    Tracker {
        mood: Mood,
        seconds: u32,
    },
    /// Somebody works in the tracker outside, soon after something came there.
    InTracker {
        which: u64,
        deed: Deed,
    },
    /// A tablet is carried to another network, or its battery runs low; its person may choose whether originals wait.
    Stand {
        tablet: usize,
        stands: Surroundings,
        waits: Option<bool>,
    },
    /// Power fails at the so-manieth change of the disk from now, before or after it is made.
    Fuse {
        machine: Machine,
        changes: u32,
        after: bool,
    },
    /// The disk is full, for so long.
    Full {
        machine: Machine,
        seconds: u32,
    },
    /// A clock jumps: it is so much ahead now, in milliseconds.
    Clock {
        machine: Machine,
        ahead: i64,
    },
    /// The hub is backed up while it runs. Its disk is lost, and it is restored: with an epoch of its own, or as if nothing
    /// had happened.
    Backup,
    Restore {
        tells: bool,
    },
    /// The hub's database is moved to PostgreSQL, or back.
    Move,
    /// Where the database is PostgreSQL: another process of the office writes beside the hub, and its transaction stays open
    /// for so long while all else goes on.
    Beside {
        milliseconds: u64,
    },
    /// A tablet's folder is copied to another tablet, which then works beside it.
    Clone {
        tablet: usize,
    },
    /// A tablet's folder is copied away, or put back.
    Copy {
        tablet: usize,
    },
    Return {
        tablet: usize,
    },
    /// A tablet's app is updated, from a version that knew no operations but those that set and add.
    Update {
        tablet: usize,
    },
    /// The hub was updated, and a tablet's app was not: it speaks an older version of the protocol. Or it is updated now.
    Speak {
        tablet: usize,
        is_older: bool,
    },
    /// The office withdraws a tablet's permission.
    Revoke {
        tablet: usize,
    },
    /// Somebody lets a tablet join the office again.
    Join {
        tablet: usize,
    },
    /// The office takes an inspector's role, or gives it back.
    Role {
        inspector: usize,
        inspects: bool,
    },
    /// The office has everything judged again that was set aside.
    JudgeAgain,
}

impl Act {
    /// The tablet that it is about.
    pub fn tablet(&self) -> Option<usize> {
        match self {
            Self::Look { tablet, .. }
            | Self::Answer { tablet, .. }
            | Self::Say { tablet, .. }
            | Self::Photo { tablet, .. }
            | Self::TakeOff { tablet, .. }
            | Self::Choose { tablet, .. }
            | Self::Sign { tablet }
            | Self::Step { tablet: Some(tablet), .. }
            | Self::Amend { tablet, .. }
            | Self::Later { tablet, .. }
            | Self::Ask { tablet }
            | Self::Stand { tablet, .. }
            | Self::Link { tablet, .. }
            | Self::Fuse { machine: Machine::Tablet(tablet), .. }
            | Self::Full { machine: Machine::Tablet(tablet), .. }
            | Self::Clock { machine: Machine::Tablet(tablet), .. }
            | Self::Clone { tablet }
            | Self::Copy { tablet }
            | Self::Return { tablet }
            | Self::Update { tablet }
            | Self::Speak { tablet, .. }
            | Self::Revoke { tablet }
            | Self::Join { tablet } => Some(*tablet),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub at: Duration,
    pub act: Act,
}

/// The steps of a seed.
pub fn story(seed: u64) -> Vec<Step> {
    beside::all(seed, told(seed))
}

/// Its story, without what goes on beside it.
fn told(seed: u64) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "story");
    // Each story has a temper: some are about bad links, some about power, copies or rights, some about nothing of its own.
    let mut teller = Teller { temper: dice.below(6), dice, tablets: TABLETS, ..Teller::default() };
    let count = teller.dice.within(8..32);
    let mut at = Duration::ZERO;
    let mut steps = Vec::new();
    for tablet in 0..TABLETS {
        let is_bad = teller.temper == 0 || teller.dice.chance(400);
        let link = if is_bad { Link::BAD } else { Link::GOOD };
        steps.push(Step { at, act: Act::Link { tablet, link } });
    }
    for _ in 0..count {
        // Mostly people go on at once; now and then minutes pass, or hours.
        let dice = &mut teller.dice;
        let pause = match dice.below(100) {
            0 => dice.within(600_000..7_200_000),
            1..=4 => dice.within(60_000..600_000),
            5..=29 => dice.within(2_000..60_000),
            _ => dice.within(1..2_000),
        };
        at += Duration::from_millis(pause);
        let act = if dice.chance(600) { teller.person() } else { teller.outside() };
        steps.push(Step { at, act });
    }
    steps
}

/// Who makes a story up.
#[derive(Default)]
struct Teller {
    dice: Dice,
    temper: u64,
    /// How many tablets there are by now.
    tablets: usize,
    /// Whether there is a backup to restore, and tablets' copies to return.
    has_backup: bool,
    copied: Vec<usize>,
}

impl Teller {
    fn tablet(&mut self) -> usize {
        self.dice.index(self.tablets)
    }

    fn person(&mut self) -> Act {
        let tablet = self.tablet();
        let dice = &mut self.dice;
        let stop = dice.index(crate::estate::STOPS);
        // Few items, so that people meet.
        let item = dice.index(3);
        let fails = dice.chance(450);
        match dice.below(100) {
            0..=29 => Act::Answer { tablet, stop, item, fails },
            30..=39 => Act::Step { tablet: dice.chance(300).then_some(tablet), which: dice.throw() },
            40..=49 => Act::Say { tablet, stop, item, words: 0 },
            50..=71 => {
                let length = match dice.below(10) {
                    0 => dice.within(200_000..700_000),
                    1..=3 => dice.within(20_000..200_000),
                    // The same few lengths: two people take the same photo.
                    4..=6 => 1_000,
                    _ => dice.within(100..4_000),
                };
                let length = u32::try_from(length).unwrap_or(100);
                Act::Photo { tablet, stop, item, bytes: dice.below(3), length, is_picture: dice.chance(500) }
            }
            72..=75 => Act::TakeOff { tablet, stop },
            76..=80 => Act::Choose { tablet, stop },
            81..=86 => Act::Sign { tablet },
            87..=90 => Act::Amend { tablet, stop, item, fails },
            91 => Act::Ask { tablet },
            92 => {
                let what = [Later::Field, Later::Kind, Later::Entity][dice.index(3)];
                Act::Later { tablet, stop, what }
            }
            93..=96 => Act::Rename { stop, name: dice.below(1_000) },
            97 => Act::Delete { stop, what: Deleted::Check },
            _ => Act::Import { records: u32::try_from(dice.within(2..900)).unwrap_or(2) },
        }
    }

    /// What its temper is about comes more often, and all else as well.
    fn outside(&mut self) -> Act {
        let tablet = self.tablet();
        let machine = if self.dice.chance(400) { Machine::Hub } else { Machine::Tablet(tablet) };
        match (self.temper, self.dice.below(100)) {
            (2, 0..50) => self.fuse(machine),
            (3, 0..50) => self.copies(tablet),
            (4, 0..30) | (_, 96) => self.rights(),
            (1, 0..60) | (2 | 3, 50..65) | (_, 0..35) => self.link(tablet),
            (3, 65..80) | (_, 35..65) => self.fuse(machine),
            (_, 65..80) => self.copies(tablet),
            (_, 80..88) => {
                Act::Full { machine, seconds: u32::try_from(self.dice.within(1..300)).unwrap_or(1) }
            }
            (_, 88..96) => {
                let ten_years = 10 * 365 * 86_400_000_u64;
                let most = if self.dice.chance(500) { ten_years } else { 600_000 };
                let far = i64::try_from(self.dice.below(most)).unwrap_or(0);
                Act::Clock { machine, ahead: if self.dice.chance(500) { far } else { -far } }
            }
            (_, 97) => Act::Join { tablet },
            _ => Act::Revoke { tablet },
        }
    }

    fn rights(&mut self) -> Act {
        let (inspector, inspects) = (self.dice.index(TABLETS), self.dice.chance(400));
        if self.dice.chance(300) { Act::JudgeAgain } else { Act::Role { inspector, inspects } }
    }

    fn link(&mut self, tablet: usize) -> Act {
        let link = match self.dice.below(4) {
            0 => Link::NONE,
            1 | 2 => Link::BAD,
            _ => Link::GOOD,
        };
        Act::Link { tablet, link }
    }

    fn fuse(&mut self, machine: Machine) -> Act {
        let dice = &mut self.dice;
        let changes = if dice.chance(500) { dice.within(1..12) } else { dice.within(1..120) };
        Act::Fuse { machine, changes: u32::try_from(changes).unwrap_or(1), after: dice.chance(500) }
    }

    /// What is copied away is mostly put back some time.
    fn copies(&mut self, tablet: usize) -> Act {
        match self.dice.below(8) {
            0..=3 if self.has_backup => Act::Restore { tells: self.dice.chance(500) },
            0..=3 => {
                self.has_backup = true;
                Act::Backup
            }
            4 if self.tablets < MOST_TABLETS => {
                self.tablets += 1;
                Act::Clone { tablet }
            }
            _ => match self.dice.pick(&self.copied).copied() {
                Some(tablet) if self.dice.chance(600) => Act::Return { tablet },
                _ => {
                    self.copied.push(tablet);
                    Act::Copy { tablet }
                }
            },
        }
    }
}
