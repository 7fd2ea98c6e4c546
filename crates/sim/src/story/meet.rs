//! Two who do not know of each other are at one thing. What of that comes about is counted ([`crate::effects`]).

use super::beside::instead;
use super::{Act, Deleted, MOST_TABLETS, Step, TABLETS};
use crate::dice::Dice;
use crate::estate::STOPS;
use crate::net::Link;
use std::time::Duration;

/// Of a thousand stories, in so many two meet.
const MEETINGS: u64 = 250;

pub(super) fn all(seed: u64, steps: Vec<Step>) -> Vec<Step> {
    let mut dice = Dice::apart(seed, "meeting");
    if !dice.chance(MEETINGS) {
        return steps;
    }
    // Mostly early, before anybody signs.
    let end = steps.last().map_or(0, |step| step.at.as_millis());
    let end = if dice.chance(700) { 3_000 } else { u64::try_from(end).unwrap_or(0).max(1) };
    let at = Duration::from_millis(dice.below(end));
    let copies = steps.iter().filter(|step| step.at <= at && matches!(step.act, Act::Clone { .. })).count();
    let one = dice.index(TABLETS);
    let other = (one + 1 + dice.index(TABLETS - 1)) % TABLETS;
    let (stop, item) = (dice.index(STOPS), dice.index(3));
    let mut meeting = Meeting { one, other, stop, item, at, dice, steps: Vec::new() };
    match meeting.dice.below(7) {
        0 => meeting.same_answer(),
        1 => meeting.sealed_meanwhile(),
        2 => meeting.deleted_meanwhile(),
        3 => meeting.same_photo(),
        4 => meeting.signed_and_copied(TABLETS + copies),
        5 => meeting.signed_and_joined(),
        _ => meeting.found_again(),
    }
    let Meeting { mut dice, steps: news, .. } = meeting;
    instead(steps, news, &mut dice)
}

/// Two tablets, and the item at which they are.
struct Meeting {
    one: usize,
    other: usize,
    stop: usize,
    item: usize,
    at: Duration,
    dice: Dice,
    steps: Vec<Step>,
}

impl Meeting {
    /// Something happens, so many milliseconds after what happened before.
    fn then(&mut self, after: std::ops::Range<u64>, act: Act) {
        self.at += Duration::from_millis(self.dice.within(after));
        self.steps.push(Step { at: self.at, act });
    }

    fn leaves(&mut self, tablet: usize) {
        self.then(0..300, Act::Link { tablet, link: Link::NONE });
    }

    fn comes_back(&mut self, tablet: usize) {
        let link = if self.dice.chance(300) { Link::BAD } else { Link::GOOD };
        self.then(100..8_000, Act::Link { tablet, link });
    }

    fn answers(&mut self, tablet: usize, fails: bool) {
        let Self { stop, item, .. } = *self;
        self.then(50..3_000, Act::Answer { tablet, stop, item, fails });
    }

    /// Two inspectors answer the same item, and neither has seen what the other says.
    fn same_answer(&mut self) {
        let (one, other, fails) = (self.one, self.other, self.dice.chance(500));
        self.leaves(one);
        self.leaves(other);
        self.answers(one, fails);
        self.answers(other, !fails);
        self.comes_back(other);
        self.comes_back(one);
    }

    /// The owners sign at one tablet while a colleague, who does not see it, goes on at another.
    fn sealed_meanwhile(&mut self) {
        let (one, other, fails) = (self.one, self.other, self.dice.chance(500));
        self.leaves(other);
        self.then(0..2_000, Act::Link { tablet: one, link: Link::GOOD });
        self.then(50..2_000, Act::Sign { tablet: one });
        self.answers(other, fails);
        self.then(5_000..20_000, Act::Ask { tablet: one });
        self.comes_back(other);
    }

    /// The office deletes a check, having seen all of it, at which somebody is who does not know.
    fn deleted_meanwhile(&mut self) {
        let (other, stop, item) = (self.other, self.stop, self.item);
        self.leaves(other);
        self.then(50..3_000, Act::Delete { stop, what: Deleted::Stop });
        self.answers(other, true);
        self.then(50..2_000, Act::Say { tablet: other, stop, item, words: 0 });
        self.comes_back(other);
    }

    /// The office deletes a finding that nobody has put into words yet, and a colleague finds the same.
    fn found_again(&mut self) {
        let Self { one, other, stop, item, .. } = *self;
        let (bytes, length) = (self.dice.below(3), 3_000);
        let photo = |tablet, bytes| Act::Photo { tablet, stop, item, bytes, length, is_picture: true };
        self.answers(one, true);
        self.then(50..500, photo(one, bytes));
        self.then(1_000..9_000, Act::Delete { stop, what: Deleted::Finding });
        let again = if self.dice.chance(500) {
            photo(other, bytes + 1)
        } else {
            Act::Say { tablet: other, stop, item, words: 0 }
        };
        self.then(1_000..9_000, again);
    }

    /// Two take the same photo.
    fn same_photo(&mut self) {
        let Self { stop, item, .. } = *self;
        let (bytes, length, is_picture) = (self.dice.below(3), 3_000, self.dice.chance(500));
        let is_away = self.dice.chance(500);
        for tablet in [self.one, self.other] {
            if is_away {
                self.leaves(tablet);
            }
            self.then(10..500, Act::Photo { tablet, stop, item, bytes, length, is_picture });
        }
        for tablet in [self.one, self.other] {
            self.comes_back(tablet);
        }
    }

    /// The owners sign at a tablet that is away. It is copied before it comes back, and both go on: one of them finds its
    /// numbers taken.
    fn signed_and_copied(&mut self, copy: usize) {
        if copy >= MOST_TABLETS {
            return self.signed_and_joined();
        }
        let Self { one, stop, item, .. } = *self;
        self.leaves(one);
        self.then(50..3_000, Act::Sign { tablet: one });
        self.then(50..3_000, Act::Clone { tablet: one });
        for tablet in [one, copy] {
            let fails = self.dice.chance(500);
            self.then(1_500..4_000, Act::Amend { tablet, stop, item, fails });
        }
        self.comes_back(one);
        self.comes_back(copy);
    }

    /// The owners sign at a tablet that is away, and it joins the office anew before it has sent anything.
    fn signed_and_joined(&mut self) {
        let tablet = self.one;
        self.leaves(tablet);
        self.then(50..3_000, Act::Sign { tablet });
        self.then(50..3_000, Act::Link { tablet, link: Link::GOOD });
        self.then(0..1, Act::Join { tablet });
    }
}
