//! What happens in a simulation, step by step: made from the seed, short enough to read, and shorter still once shrunk.

use crate::dice::Dice;
use crate::net::Link;
use std::time::Duration;

/// How many tablets begin.
pub const TABLETS: usize = 3;

/// A machine: a tablet, or the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    Tablet(usize),
    Hub,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
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
    Amend {
        tablet: usize,
        stop: usize,
        item: usize,
        fails: bool,
    },
    /// The person taps "sync now".
    Ask {
        tablet: usize,
    },
    /// The office changes what an asset is called, deletes a check, or writes a large transaction.
    Rename {
        stop: usize,
        name: u64,
    },
    Delete {
        stop: usize,
    },
    Import {
        records: u32,
    },
    /// A tablet's link changes.
    Link {
        tablet: usize,
        link: Link,
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
    /// A tablet's clock jumps: it is so much ahead now, in milliseconds.
    Clock {
        tablet: usize,
        ahead: i64,
    },
    /// The hub's folder is copied away, or put back: with an epoch of its own, or as if nothing had happened.
    Backup,
    Restore {
        tells: bool,
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
    /// The office withdraws a tablet's permission.
    Revoke {
        tablet: usize,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub at: Duration,
    pub act: Act,
}

/// The steps of a seed.
pub fn story(seed: u64) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "story");
    // Each story has a temper: some are about bad links, some about power, some about copies.
    let temper = dice.below(6);
    let count = dice.within(8..32);
    let mut at = Duration::ZERO;
    let mut steps = Vec::new();
    for tablet in 0..TABLETS {
        let link = if temper == 0 || dice.chance(400) { Link::BAD } else { Link::GOOD };
        steps.push(Step { at, act: Act::Link { tablet, link } });
    }
    for _ in 0..count {
        // Mostly people go on at once; now and then minutes pass, or hours.
        let pause = match dice.below(100) {
            0 => dice.within(600_000..7_200_000),
            1..=4 => dice.within(60_000..600_000),
            5..=29 => dice.within(2_000..60_000),
            _ => dice.within(1..2_000),
        };
        at += Duration::from_millis(pause);
        let act = if dice.chance(600) { person(&mut dice) } else { outside(&mut dice, temper) };
        steps.push(Step { at, act });
    }
    steps
}

fn person(dice: &mut Dice) -> Act {
    let tablet = dice.index(TABLETS);
    let stop = dice.index(crate::estate::STOPS);
    // Few items, so that people meet.
    let item = dice.index(3);
    let fails = dice.chance(450);
    match dice.below(100) {
        0..=29 => Act::Answer { tablet, stop, item, fails },
        30..=39 => Act::Step { tablet: dice.chance(300).then_some(tablet), which: dice.throw() },
        40..=49 => Act::Say { tablet, stop, item },
        50..=71 => {
            let length = match dice.below(10) {
                0 => dice.within(200_000..700_000),
                1..=3 => dice.within(20_000..200_000),
                _ => dice.within(100..4_000),
            };
            let length = u32::try_from(length).unwrap_or(100);
            Act::Photo { tablet, stop, item, bytes: dice.below(5), length, is_picture: dice.chance(500) }
        }
        72..=75 => Act::TakeOff { tablet, stop },
        76..=80 => Act::Choose { tablet, stop },
        81..=86 => Act::Sign { tablet },
        87..=90 => Act::Amend { tablet, stop, item, fails },
        91..=92 => Act::Ask { tablet },
        93..=96 => Act::Rename { stop, name: dice.below(1_000) },
        97 => Act::Delete { stop },
        _ => Act::Import { records: u32::try_from(dice.within(2..900)).unwrap_or(2) },
    }
}

fn outside(dice: &mut Dice, temper: u64) -> Act {
    let tablet = dice.index(TABLETS);
    let machine = if dice.chance(400) { Machine::Hub } else { Machine::Tablet(tablet) };
    let fuse = |dice: &mut Dice| {
        let changes = if dice.chance(500) { dice.within(1..12) } else { dice.within(1..120) };
        Act::Fuse { machine, changes: u32::try_from(changes).unwrap_or(1), after: dice.chance(500) }
    };
    let link = |dice: &mut Dice| {
        let link = match dice.below(4) {
            0 => Link::NONE,
            1 | 2 => Link::BAD,
            _ => Link::GOOD,
        };
        Act::Link { tablet, link }
    };
    let copies = |dice: &mut Dice| match dice.below(8) {
        0 | 1 => Act::Backup,
        2 | 3 => Act::Restore { tells: dice.chance(500) },
        4 => Act::Clone { tablet },
        5 | 6 => Act::Copy { tablet },
        _ => Act::Return { tablet },
    };
    match (temper, dice.below(100)) {
        (1, 0..60) | (_, 0..35) => link(dice),
        (2, 0..80) | (_, 35..65) => fuse(dice),
        (3, 0..80) | (_, 65..80) => copies(dice),
        (_, 80..88) => Act::Full { machine, seconds: u32::try_from(dice.within(1..300)).unwrap_or(1) },
        (_, 88..97) => {
            let ten_years = 10 * 365 * 86_400_000_u64;
            let most = if dice.chance(500) { ten_years } else { 600_000 };
            let far = dice.below(most);
            let far = i64::try_from(far).unwrap_or(0);
            Act::Clock { tablet, ahead: if dice.chance(500) { far } else { -far } }
        }
        _ => Act::Revoke { tablet },
    }
}
