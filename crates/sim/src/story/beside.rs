//! What goes on beside a story changes nothing of the rest of it: each has dice of its own.

use super::{Act, Deed, Deleted, Mood, Step, TABLETS, meet};
use crate::dice::Dice;
use crate::estate::STOPS;
use crate::net::Link;
use standpipe_domain::hold::{Battery, Network, Surroundings};
use std::time::Duration;

/// Of a thousand stories, in so many the hub's database moves.
const MOVES: u64 = 8;

/// The story of a seed with all that goes on beside it.
pub(super) fn all(seed: u64, steps: Vec<Step>) -> Vec<Step> {
    let steps = meet::all(seed, met(seed, steps));
    let steps = failing(seed, linked(seed, looked(seed, steps)));
    outdated(seed, deleted(seed, updated(seed, moved(seed, carried(seed, steps)))))
}

/// People meet at issues that somebody claims to be done.
fn met(seed: u64, steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "issue");
    if !dice.chance(200) {
        return steps;
    }
    let end = steps.last().map_or(0, |step| step.at.as_millis());
    let (tablet, stop, item) = (dice.index(TABLETS), dice.index(STOPS), dice.index(3));
    let photo = Act::Photo { tablet, stop, item, bytes: dice.below(3), length: 1_000, is_picture: true };
    let found =
        [Act::Answer { tablet, stop, item, fails: true }, photo, Act::Say { tablet, stop, item, words: 0 }];
    // Early, before anybody signs; what follows stands somewhere in the story, where that is long enough.
    let mut at = Duration::from_millis(dice.within(1..500));
    let mut news: Vec<Step> = found.into_iter().map(|act| Step { at, act }).collect();
    at += Duration::from_millis(dice.below(u64::try_from(end).unwrap_or(0).saturating_sub(30_000)));
    for _ in 0..dice.within(1..4) {
        // Time for the finding to come to the office, or for what the tablets did, and for the claim to come to them.
        at += Duration::from_millis(dice.within(1_000..20_000));
        news.push(Step { at, act: Act::Claim { which: dice.throw() } });
        at += Duration::from_millis(dice.within(100..5_000));
        let away = dice.chance(400).then(|| dice.index(TABLETS));
        if let Some(tablet) = away {
            news.push(Step { at, act: Act::Link { tablet, link: Link::NONE } });
        }
        for _ in 0..dice.within(2..5) {
            let tablet = dice.chance(850).then(|| dice.index(TABLETS));
            news.push(Step { at, act: Act::Step { tablet, which: dice.throw() } });
            at += Duration::from_millis(if dice.chance(700) {
                dice.within(1..300)
            } else {
                dice.within(300..4_000)
            });
        }
        if let Some(tablet) = away {
            let link = if dice.chance(500) { Link::BAD } else { Link::GOOD };
            news.push(Step { at, act: Act::Link { tablet, link } });
        }
    }
    instead(steps, news, &mut dice)
}

/// Somebody has a check open while a colleague writes there, and goes on with what they had begun.
fn looked(seed: u64, steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "look");
    if !dice.chance(200) {
        return steps;
    }
    let one = dice.index(TABLETS);
    let other = (one + 1 + dice.index(TABLETS - 1)) % TABLETS;
    let (stop, item) = (dice.index(STOPS), dice.index(3));
    // Early, before anybody signs.
    let mut at = Duration::from_millis(dice.below(2_000));
    let mut news: Vec<Step> =
        [one, other].map(|tablet| Step { at, act: Act::Link { tablet, link: Link::GOOD } }).into();
    let mut then = |dice: &mut Dice, after, act| {
        at += Duration::from_millis(dice.within(after));
        news.push(Step { at, act });
    };
    let write = |dice: &mut Dice, tablet, is_said| {
        if is_said {
            Act::Say { tablet, stop, item, words: dice.below(3) }
        } else {
            Act::Answer { tablet, stop, item, fails: dice.chance(500) }
        }
    };
    let is_said = dice.chance(500);
    then(&mut dice, 0..300, Act::Answer { tablet: one, stop, item, fails: true });
    for _ in 0..dice.within(1..3) {
        then(&mut dice, 500..3_000, Act::Look { tablet: one, stop });
        let act = write(&mut dice, other, is_said);
        then(&mut dice, 100..1_000, act);
        let act = write(&mut dice, one, is_said);
        // Mostly what the colleague wrote has come by then.
        then(&mut dice, 300..6_000, act);
    }
    instead(steps, news, &mut dice)
}

/// What comes in takes the place of others, but for copies, by which the tablets are counted: the story is hardly longer than
/// it was.
pub(super) fn instead(mut steps: Vec<Step>, news: Vec<Step>, dice: &mut Dice) -> Vec<Step> {
    for _ in &news {
        let at = TABLETS + dice.index(steps.len().saturating_sub(TABLETS));
        if steps.get(at).is_some_and(|step| !matches!(step.act, Act::Clone { .. })) {
            steps.remove(at);
        }
    }
    steps.extend(news);
    steps.sort_by_key(|step| step.at);
    steps
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
    if dice.chance(600) {
        for _ in 0..dice.within(1..4) {
            let mood = match dice.below(10) {
                0 | 1 => Mood::Locked,
                2 | 3 => Mood::Covered,
                4..=6 => Mood::Refuses { which: u8::try_from(dice.below(4)).unwrap_or(0) },
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
    insert_behind(TABLETS, steps, dice, act);
}

/// Lets something happen somewhere behind the first so many.
fn insert_behind(first: usize, steps: &mut Vec<Step>, dice: &mut Dice, act: Act) {
    let place = first + dice.index(steps.len() - first);
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
            let moved = steps.iter().position(|step| step.act == Act::Move).unwrap_or(TABLETS);
            insert_behind(moved + 1, &mut steps, &mut dice, Act::Beside { milliseconds });
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

/// An app is not updated with the hub, and maybe later; in the end all are.
fn outdated(seed: u64, mut steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "version");
    if dice.chance(80) {
        let tablet = dice.index(TABLETS);
        for is_older in [true, false] {
            insert(&mut steps, &mut dice, Act::Speak { tablet, is_older });
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
