//! The tablet's side of a pull: fetches what the hub numbered behind the cursor, page by page.

use crate::wire::PullHead;
use uuid::Uuid;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A page arrived whole. `held`: what of it does not stand behind the cursor is held under the same numbers.
    Page { head: PullHead, held: bool },
    /// The page was applied, and the replica's own checksum up to its cursor is this.
    Applied { checksum: u64 },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Request {
        after: u64,
    },
    /// Apply the page that has just arrived, and move the cursor, in one transaction.
    Apply,
    /// Both ends hold the same.
    InStep,
    /// Another hub, the same one restored, or something is missing on one end: see [`crate::repair`]. Nothing more is
    /// fetched until that is done.
    Differ,
}

/// The state of a tablet's pull of one scope, made anew for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    epoch: Option<Uuid>,
    cursor: u64,
    page: Option<PullHead>,
}

impl Pull {
    /// The pull of what stands behind `cursor`, and what is to be done first. `epoch` is `None` before the first contact.
    pub fn new(epoch: Option<Uuid>, cursor: u64) -> (Self, Effect) {
        (Self { epoch, cursor, page: None }, Effect::Request { after: cursor })
    }

    /// What is to be done now. Nothing where a page is said to be applied that is not to be.
    pub fn step(&mut self, event: Event) -> Option<Effect> {
        match event {
            Event::Page { head, held } => Some(self.page(head, held)),
            Event::Applied { checksum } => self.applied(checksum),
        }
    }

    fn page(&mut self, head: PullHead, held: bool) -> Effect {
        let known = *self.epoch.get_or_insert(head.hub_epoch);
        // One that begins before the cursor has it stand within a transaction. More of that came in another push, or the
        // numbers are others than they were.
        let is_other = head.from < self.cursor && !held;
        if known != head.hub_epoch || head.next < self.cursor || is_other {
            return Effect::Differ;
        }
        self.page = Some(head);
        Effect::Apply
    }

    fn applied(&mut self, checksum: u64) -> Option<Effect> {
        let head = self.page.take()?;
        self.cursor = head.next;
        if head.more {
            return Some(Effect::Request { after: self.cursor });
        }
        let same = u64::from_str_radix(&head.checksum, 16) == Ok(checksum);
        Some(if same { Effect::InStep } else { Effect::Differ })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use standpipe_domain::ids::Millis;

    fn page(epoch: u128, from: u64, next: u64, more: bool) -> Event {
        let head = PullHead {
            protocol: 1,
            hub_epoch: Uuid::from_u128(epoch),
            from,
            next,
            more,
            checksum: format!("{:016x}", 7),
            now: Millis(0),
        };
        Event::Page { head, held: false }
    }

    #[test]
    fn pages_follow_one_another_until_both_ends_are_in_step() {
        let (mut pull, first) = Pull::new(None, 0);
        assert_eq!(first, Effect::Request { after: 0 });
        assert_eq!(pull.step(page(1, 0, 100, true)), Some(Effect::Apply));
        assert_eq!(pull.step(Event::Applied { checksum: 0 }), Some(Effect::Request { after: 100 }));
        assert_eq!(pull.step(page(1, 100, 120, false)), Some(Effect::Apply));
        assert_eq!(pull.step(Event::Applied { checksum: 7 }), Some(Effect::InStep));
    }

    #[test]
    fn a_difference_is_seen() {
        let (mut pull, _) = Pull::new(None, 0);
        pull.step(page(1, 0, 5, false));
        assert_eq!(pull.step(Event::Applied { checksum: 8 }), Some(Effect::Differ));
    }

    #[test]
    fn a_restored_hub_is_compared_with() {
        let (mut pull, _) = Pull::new(Some(Uuid::from_u128(1)), 50);
        assert_eq!(pull.step(page(2, 50, 60, false)), Some(Effect::Differ));
        assert_eq!(pull.step(Event::Applied { checksum: 7 }), None, "it is not applied");

        let (mut behind, _) = Pull::new(Some(Uuid::from_u128(2)), 50);
        assert_eq!(
            behind.step(page(2, 50, 40, false)),
            Some(Effect::Differ),
            "the same epoch, but a head behind the cursor"
        );
    }

    #[test]
    fn a_page_that_begins_before_the_cursor_is_of_other_numbers() {
        let (mut pull, _) = Pull::new(Some(Uuid::from_u128(1)), 50);
        assert_eq!(pull.step(page(1, 49, 60, false)), Some(Effect::Differ), "50 is within a transaction");
        assert_eq!(pull.step(Event::Applied { checksum: 7 }), None, "it is not applied");
    }

    #[test]
    fn more_of_a_transaction_than_was_there_comes_with_what_is_held_of_it() {
        let (mut pull, _) = Pull::new(Some(Uuid::from_u128(1)), 50);
        let Event::Page { head, .. } = page(1, 49, 60, false) else { unreachable!() };
        assert_eq!(pull.step(Event::Page { head, held: true }), Some(Effect::Apply));
        assert_eq!(pull.step(Event::Applied { checksum: 7 }), Some(Effect::InStep));
    }
}
