//! The tablet's side of a push: what the hub has not acknowledged goes in order, and the answers count one by one. Whoever
//! performs it may have the next batch set off before the answer to the one in front has come.

use crate::wire::{PushAnswer, PushConflict, Refused};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Answer(PushAnswer),
    Conflict(PushConflict),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send the next batch behind this sequence number.
    Send { after: u64 },
    /// Write down, durably, what the hub acknowledged and what it keeps in backups.
    Acknowledge { upto: u64, durable: u64 },
    /// Write down, and show, what the hub set aside.
    SetAside(Vec<Refused>),
    /// Go on as this incarnation, with what was not acknowledged numbered from 1.
    Renumber { incarnation: u32 },
    /// The hub holds less than it once acknowledged: offer everything behind this again.
    Rewind { to: u64 },
}

/// The state of a tablet's push of what waits, made anew for each from what the database says was acknowledged. Where no
/// answer comes it is not known whether the hub took the batch: another push sends the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    acknowledged: u64,
    last: u64,
}

impl Push {
    /// The push of what stands behind `acknowledged`, up to `last`, and what is to be done first.
    pub fn new(acknowledged: u64, last: u64) -> (Self, Vec<Effect>) {
        let push = Self { acknowledged, last };
        let first = push.send();
        (push, first)
    }

    /// Operations that the hub has not acknowledged.
    pub fn waiting(&self) -> u64 {
        self.last.saturating_sub(self.acknowledged)
    }

    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Answer(answer) => {
                // An answer to an older request than the last may say less: it takes nothing back.
                self.acknowledged = self.acknowledged.max(answer.acknowledged.min(self.last));
                let upto = self.acknowledged;
                let durable = answer.durable_seq.min(upto);
                // What was set aside is written down first: once acknowledged it is not pushed, and not told of, again.
                let mut effects = Vec::new();
                if !answer.quarantined.is_empty() {
                    effects.push(Effect::SetAside(answer.quarantined));
                }
                effects.push(Effect::Acknowledge { upto, durable });
                effects.extend(self.send());
                effects
            }
            Event::Conflict(PushConflict::Expected { expected }) => {
                // Only ever back: what a hub expects does not prove that it holds what comes before.
                self.acknowledged = expected.saturating_sub(1).min(self.acknowledged);
                let mut effects = vec![Effect::Rewind { to: self.acknowledged }];
                effects.extend(self.send());
                effects
            }
            Event::Conflict(PushConflict::Forked { incarnation }) => {
                *self = Self { acknowledged: 0, last: self.waiting() };
                let mut effects = vec![Effect::Renumber { incarnation }];
                effects.extend(self.send());
                effects
            }
        }
    }

    fn send(&self) -> Vec<Effect> {
        if self.waiting() == 0 { Vec::new() } else { vec![Effect::Send { after: self.acknowledged }] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(acknowledged: u64) -> Event {
        Event::Answer(PushAnswer { acknowledged, durable_seq: 0, quarantined: vec![] })
    }

    #[test]
    fn batches_follow_one_another_until_all_is_acknowledged() {
        let (mut push, first) = Push::new(0, 701);
        assert_eq!(first, [Effect::Send { after: 0 }]);
        assert_eq!(
            push.step(answer(500)),
            [Effect::Acknowledge { upto: 500, durable: 0 }, Effect::Send { after: 500 }]
        );
        assert_eq!(push.step(answer(701)), [Effect::Acknowledge { upto: 701, durable: 0 }]);
        assert_eq!(push.waiting(), 0);
    }

    #[test]
    fn what_was_set_aside_is_written_down_before_it_counts_as_acknowledged() {
        let (mut push, _) = Push::new(0, 1);
        let refused = Refused { op_id: uuid::Uuid::nil(), code: "not-allowed".into(), detail: String::new() };
        let quarantined = vec![refused.clone()];
        let answer = PushAnswer { acknowledged: 1, durable_seq: 0, quarantined };
        let effects = push.step(Event::Answer(answer));
        assert_eq!(effects, [Effect::SetAside(vec![refused]), Effect::Acknowledge { upto: 1, durable: 0 }]);
    }

    #[test]
    fn where_nothing_waits_nothing_is_sent() {
        assert_eq!(Push::new(9, 9).1, []);
    }

    #[test]
    fn a_hub_that_lost_its_disk_is_offered_everything_again() {
        let (mut push, _) = Push::new(90, 100);
        let effects = push.step(Event::Conflict(PushConflict::Expected { expected: 41 }));
        assert_eq!(effects, [Effect::Rewind { to: 40 }, Effect::Send { after: 40 }]);
    }

    #[test]
    fn a_hub_that_expects_more_than_it_acknowledged_is_offered_the_same_again() {
        let (mut push, _) = Push::new(3, 9);
        let effects = push.step(Event::Conflict(PushConflict::Expected { expected: 8 }));
        assert_eq!(effects, [Effect::Rewind { to: 3 }, Effect::Send { after: 3 }]);
    }

    #[test]
    fn a_forked_tablet_goes_on_with_what_was_not_acknowledged() {
        let (mut push, _) = Push::new(90, 100);
        let effects = push.step(Event::Conflict(PushConflict::Forked { incarnation: 2 }));
        assert_eq!(effects, [Effect::Renumber { incarnation: 2 }, Effect::Send { after: 0 }]);
        assert_eq!(push.waiting(), 10);
    }

    #[test]
    fn a_hub_cannot_acknowledge_what_was_never_written() {
        let (mut push, _) = Push::new(0, 5);
        assert_eq!(push.step(answer(1_000)), [Effect::Acknowledge { upto: 5, durable: 0 }]);
    }
}
