//! The tablet's side of a pull: fetches what the hub numbered behind the cursor, page by page.

use crate::wire::PullHead;
use uuid::Uuid;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The hub poked, the network came back, or the time came round.
    Wake,
    /// A page arrived whole.
    Page(PullHead),
    /// The page was applied, and the replica's own checksum up to its cursor is this.
    Applied {
        checksum: u64,
    },
    Lost,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Request {
        after: u64,
    },
    /// Apply the page that has just arrived, and move the cursor, in one transaction.
    Apply {
        next: u64,
    },
    /// Both ends hold the same.
    InStep,
    /// Another hub, the same one restored, or something is missing on one end: see [`crate::repair`]. Nothing more is
    /// fetched until that is done.
    Differ,
    BackOff,
}

/// The state of a tablet's pulls of one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    epoch: Option<Uuid>,
    cursor: u64,
    in_flight: bool,
    page: Option<PullHead>,
    again: bool,
}

impl Pull {
    /// `epoch` is `None` before the first contact.
    pub fn new(epoch: Option<Uuid>, cursor: u64) -> Self {
        Self { epoch, cursor, in_flight: false, page: None, again: false }
    }

    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Wake => self.request(),
            Event::Page(head) => self.page(head),
            Event::Applied { checksum } => self.applied(checksum),
            Event::Lost => {
                self.in_flight = false;
                self.page = None;
                vec![Effect::BackOff]
            }
        }
    }

    fn request(&mut self) -> Vec<Effect> {
        if self.in_flight {
            // A poke during a pull may tell of something that this page does not hold yet.
            self.again = true;
            return Vec::new();
        }
        self.in_flight = true;
        self.again = false;
        vec![Effect::Request { after: self.cursor }]
    }

    fn page(&mut self, head: PullHead) -> Vec<Effect> {
        if !self.in_flight {
            return Vec::new();
        }
        let known = *self.epoch.get_or_insert(head.hub_epoch);
        if known != head.hub_epoch || head.next < self.cursor {
            self.in_flight = false;
            return vec![Effect::Differ];
        }
        let next = head.next;
        self.page = Some(head);
        vec![Effect::Apply { next }]
    }

    fn applied(&mut self, checksum: u64) -> Vec<Effect> {
        let Some(head) = self.page.take() else { return Vec::new() };
        self.cursor = head.next;
        self.in_flight = false;
        if head.more {
            return self.request();
        }
        let same = u64::from_str_radix(&head.checksum, 16) == Ok(checksum);
        let mut effects = vec![if same { Effect::InStep } else { Effect::Differ }];
        if self.again && same {
            effects.extend(self.request());
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use standpipe_domain::ids::Millis;

    fn page(epoch: u128, next: u64, more: bool) -> Event {
        Event::Page(PullHead {
            protocol: 1,
            hub_epoch: Uuid::from_u128(epoch),
            from: 0,
            next,
            more,
            checksum: format!("{:016x}", 7),
            now: Millis(0),
        })
    }

    #[test]
    fn pages_follow_one_another_until_both_ends_are_in_step() {
        let mut pull = Pull::new(None, 0);
        assert_eq!(pull.step(Event::Wake), [Effect::Request { after: 0 }]);
        assert_eq!(pull.step(page(1, 100, true)), [Effect::Apply { next: 100 }]);
        assert_eq!(pull.step(Event::Applied { checksum: 0 }), [Effect::Request { after: 100 }]);
        assert_eq!(pull.step(page(1, 120, false)), [Effect::Apply { next: 120 }]);
        assert_eq!(pull.step(Event::Applied { checksum: 7 }), [Effect::InStep]);
    }

    #[test]
    fn a_difference_is_seen() {
        let mut pull = Pull::new(None, 0);
        pull.step(Event::Wake);
        pull.step(page(1, 5, false));
        assert_eq!(pull.step(Event::Applied { checksum: 8 }), [Effect::Differ]);
    }

    #[test]
    fn a_poke_during_a_pull_is_not_lost() {
        let mut pull = Pull::new(None, 0);
        pull.step(Event::Wake);
        assert_eq!(pull.step(Event::Wake), []);
        pull.step(page(1, 5, false));
        assert_eq!(pull.step(Event::Applied { checksum: 7 }), [Effect::InStep, Effect::Request { after: 5 }]);
    }

    #[test]
    fn a_restored_hub_is_compared_with() {
        let mut pull = Pull::new(Some(Uuid::from_u128(1)), 50);
        pull.step(Event::Wake);
        assert_eq!(pull.step(page(2, 60, false)), [Effect::Differ]);

        let mut behind = Pull::new(Some(Uuid::from_u128(2)), 50);
        behind.step(Event::Wake);
        assert_eq!(
            behind.step(page(2, 40, false)),
            [Effect::Differ],
            "the same epoch, but a head behind the cursor"
        );
    }

    #[test]
    fn a_page_that_was_given_up_does_not_move_the_cursor() {
        let mut pull = Pull::new(None, 0);
        pull.step(Event::Wake);
        pull.step(page(1, 5, false));
        assert_eq!(pull.step(Event::Lost), [Effect::BackOff]);
        assert_eq!(pull.step(Event::Applied { checksum: 7 }), []);
        assert_eq!(pull.step(Event::Wake), [Effect::Request { after: 0 }]);
    }
}
