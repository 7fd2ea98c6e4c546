//! What goes on beside a story changes nothing of the rest of it: each has dice of its own.

use super::{Act, Deed, Deleted, Mood, Step, TABLETS};
use crate::dice::Dice;
use crate::estate::STOPS;
use crate::net::Link;
use standpipe_domain::hold::{Battery, Network, Surroundings};

/// Of a thousand stories, in so many the hub's database moves.
const MOVES: u64 = 8;

/// The story of a seed with all that goes on beside it.
pub(super) fn all(seed: u64, steps: Vec<Step>) -> Vec<Step> {
    deleted(seed, updated(seed, moved(seed, carried(seed, failing(seed, linked(seed, steps))))))
}

/// The hub's link to the tracker changes.
fn linked(seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "outside");
    for _ in 0..dice.below(4) {
        let link = [Link::BAD, Link::BAD, Link::NONE, Link::GOOD][dice.index(4)];
        insert(&mut steps, &mut dice, Act::LinkOutside { link });
    }
    steps
}

/// The tracker outside fails, and people work there.
fn failing(seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "tracker");
    if dice.chance(400) {
        for _ in 0..dice.within(1..4) {
            let mood = match dice.below(10) {
                0 => Mood::Locked,
                1 | 2 => Mood::Covered,
                3 => Mood::Refuses { which: u8::try_from(dice.below(4)).unwrap_or(0) },
                _ => Mood::Fails,
            };
            let seconds = u32::try_from(dice.within(5..900)).unwrap_or(5);
            insert(&mut steps, &mut dice, Act::Tracker { mood, seconds });
        }
    }
    if dice.chance(300) {
        for _ in 0..dice.within(1..4) {
            let deed = [Deed::Deletes, Deed::Deletes, Deed::Copies, Deed::Closes][dice.index(4)];
            let which = dice.throw();
            insert(&mut steps, &mut dice, Act::InTracker { which, deed });
        }
    }
    steps
}

/// Tablets are carried out of the Wi-Fi, and back.
fn carried(seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "surroundings");
    if dice.chance(300) {
        for _ in 0..dice.within(1..6) {
            let network =
                [Network::Unknown, Network::Metered, Network::Metered, Network::Unmetered][dice.index(4)];
            let battery = [Battery::Unknown, Battery::Low, Battery::Enough][dice.index(3)];
            let stands = Surroundings { network, battery };
            let (tablet, waits) = (dice.index(TABLETS), dice.chance(600).then_some(dice.chance(800)));
            insert(&mut steps, &mut dice, Act::Stand { tablet, stands, waits });
        }
    }
    steps
}

/// Lets something happen somewhere between the others.
fn insert(steps: &mut Vec<Step>, dice: &mut Dice, act: Act) {
    let place = TABLETS + dice.index(steps.len() - TABLETS);
    let at = steps[place].at;
    steps.insert(place, Step { at, act });
}

/// Few offices move: a story over PostgreSQL takes many times as long. That one does changes nothing else of its story.
fn moved(seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "move");
    if dice.below(1_000) < MOVES {
        for _ in 0..dice.within(1..4) {
            insert(&mut steps, &mut dice, Act::Move);
        }
        for _ in 0..dice.within(2..6) {
            let milliseconds = dice.within(20..40_000);
            insert(&mut steps, &mut dice, Act::Beside { milliseconds });
        }
    }
    steps
}

/// Apps are updated.
fn updated(seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "update");
    if dice.chance(80) {
        for _ in 0..dice.within(1..3) {
            let tablet = dice.index(TABLETS);
            insert(&mut steps, &mut dice, Act::Update { tablet });
        }
    }
    steps
}

/// Somebody in the office deletes what others may be at.
fn deleted(seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "delete");
    if dice.chance(150) {
        for _ in 0..dice.within(1..5) {
            let what = match dice.below(10) {
                0..=3 => Deleted::Stop,
                4..=6 => Deleted::Finding,
                7 => Deleted::Round,
                _ => Deleted::All,
            };
            let stop = dice.index(STOPS);
            insert(&mut steps, &mut dice, Act::Delete { stop, what });
        }
    }
    steps
}
