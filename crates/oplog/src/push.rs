//! The tablet's side of a push: what the hub has not acknowledged goes in order, and the answers count one by one. Whoever
//! performs it may have the next batch set off before the answer to the one in front has come.

use crate::wire::{PushAnswer, PushConflict, Refused};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something was recorded, the network came back, or the person asked: `last` is the last operation written.
    Wake {
        last: u64,
    },
    Answer(PushAnswer),
    Conflict(PushConflict),
    /// No answer, or none that could be read: it is not known whether the hub took the batch.
    Lost,
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
    /// Try again after a pause.
    BackOff,
}

/// The state of a tablet's pushes. Made anew at each start from what the database says was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    acknowledged: u64,
    last: u64,
    in_flight: bool,
}

impl Push {
    pub fn new(acknowledged: u64, last: u64) -> Self {
        Self { acknowledged, last, in_flight: false }
    }

    /// Operations that the hub has not acknowledged.
    pub fn waiting(&self) -> u64 {
        self.last.saturating_sub(self.acknowledged)
    }

    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Wake { last } => {
                self.last = self.last.max(last);
                self.send()
            }
            Event::Answer(answer) => {
                self.in_flight = false;
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
                self.in_flight = false;
                // Only ever back: what a hub expects does not prove that it holds what comes before.
                self.acknowledged = expected.saturating_sub(1).min(self.acknowledged);
                let mut effects = vec![Effect::Rewind { to: self.acknowledged }];
                effects.extend(self.send());
                effects
            }
            Event::Conflict(PushConflict::Forked { incarnation }) => {
                let waiting = self.waiting();
                *self = Self::new(0, waiting);
                let mut effects = vec![Effect::Renumber { incarnation }];
                effects.extend(self.send());
                effects
            }
            Event::Lost => {
                self.in_flight = false;
                vec![Effect::BackOff]
            }
        }
    }

    fn send(&mut self) -> Vec<Effect> {
        if self.in_flight || self.waiting() == 0 {
            return Vec::new();
        }
        self.in_flight = true;
        vec![Effect::Send { after: self.acknowledged }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(acknowledged: u64) -> Event {
        Event::Answer(PushAnswer { acknowledged, durable_seq: 0, quarantined: vec![] })
    }

    #[test]
    fn one_batch_is_under_way_at_a_time_until_all_is_acknowledged() {
        let mut push = Push::new(0, 0);
        assert_eq!(push.step(Event::Wake { last: 700 }), [Effect::Send { after: 0 }]);
        assert_eq!(push.step(Event::Wake { last: 701 }), []);
        assert_eq!(
            push.step(answer(500)),
            [Effect::Acknowledge { upto: 500, durable: 0 }, Effect::Send { after: 500 }]
        );
        assert_eq!(push.step(answer(701)), [Effect::Acknowledge { upto: 701, durable: 0 }]);
        assert_eq!(push.waiting(), 0);
    }

    #[test]
    fn what_was_set_aside_is_written_down_before_it_counts_as_acknowledged() {
        let mut push = Push::new(0, 1);
        push.step(Event::Wake { last: 1 });
        let refused = Refused { op_id: uuid::Uuid::nil(), code: "not-allowed".into(), detail: String::new() };
        let quarantined = vec![refused.clone()];
        let answer = PushAnswer { acknowledged: 1, durable_seq: 0, quarantined };
        let effects = push.step(Event::Answer(answer));
        assert_eq!(effects, [Effect::SetAside(vec![refused]), Effect::Acknowledge { upto: 1, durable: 0 }]);
    }

    #[test]
    fn a_lost_answer_is_asked_for_again() {
        let mut push = Push::new(3, 9);
        assert_eq!(push.step(Event::Wake { last: 9 }), [Effect::Send { after: 3 }]);
        assert_eq!(push.step(Event::Lost), [Effect::BackOff]);
        assert_eq!(push.step(Event::Wake { last: 9 }), [Effect::Send { after: 3 }]);
    }

    #[test]
    fn a_hub_that_lost_its_disk_is_offered_everything_again() {
        let mut push = Push::new(90, 100);
        push.step(Event::Wake { last: 100 });
        let effects = push.step(Event::Conflict(PushConflict::Expected { expected: 41 }));
        assert_eq!(effects, [Effect::Rewind { to: 40 }, Effect::Send { after: 40 }]);
    }

    #[test]
    fn a_hub_that_expects_more_than_it_acknowledged_is_offered_the_same_again() {
        let mut push = Push::new(3, 9);
        push.step(Event::Wake { last: 9 });
        let effects = push.step(Event::Conflict(PushConflict::Expected { expected: 8 }));
        assert_eq!(effects, [Effect::Rewind { to: 3 }, Effect::Send { after: 3 }]);
    }

    #[test]
    fn a_forked_tablet_goes_on_with_what_was_not_acknowledged() {
        let mut push = Push::new(90, 100);
        push.step(Event::Wake { last: 100 });
        let effects = push.step(Event::Conflict(PushConflict::Forked { incarnation: 2 }));
        assert_eq!(effects, [Effect::Renumber { incarnation: 2 }, Effect::Send { after: 0 }]);
        assert_eq!(push.waiting(), 10);
    }

    #[test]
    fn a_hub_cannot_acknowledge_what_was_never_written() {
        let mut push = Push::new(0, 5);
        push.step(Event::Wake { last: 5 });
        assert_eq!(push.step(answer(1_000)), [Effect::Acknowledge { upto: 5, durable: 0 }]);
        assert_eq!(push.step(Event::Wake { last: 6 }), [Effect::Send { after: 5 }]);
    }
}
