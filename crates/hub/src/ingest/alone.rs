//! A transaction at which the hub itself fails: it is set aside, and holds up nothing else.

use super::arrived::Arrived;
use super::transaction::{Blame, Fate};
use super::{Group, Intake};
use crate::judge::Refusal;
use crate::store::{Ledger, StoreError};
use std::slice::from_ref;

/// Why it is set aside. What exactly failed is told in the log alone: it may name what is nobody else's to read.
pub(super) fn not_judged() -> Refusal {
    Refusal::new("not-judged", "the office's server has a fault, and failed at this; its log says at what")
}

impl Intake<'_> {
    /// Takes one transaction with all that follows from it; or sets it aside, where the hub fails at that.
    pub(super) fn alone(&mut self, group: &Group) -> Result<(), StoreError> {
        let (world, device, head, at) = (self.world, self.device, self.head, self.at);
        let mut part = |ledger: &mut dyn Ledger| {
            Intake::new(ledger, world, device, head, at).transactions(from_ref(group))
        };
        match self.ledger.attempt(&mut part)? {
            Ok(()) => Ok(()),
            Err(error) => self.failed_at(&group.1, &error),
        }
    }

    fn failed_at(&mut self, lines: &[Arrived], error: &StoreError) -> Result<(), StoreError> {
        let (device, incarnation) = (self.device.id, self.head.incarnation);
        let blame = Blame { dev_seq: None, refusal: not_judged() };
        for line in lines {
            let (dev_seq, op) = (line.dev_seq, line.stub().op_id);
            tracing::error!(%device, incarnation, dev_seq, ?op, %error, "the hub has a fault: it failed at an operation");
            if !matches!(self.look(line)?, Fate::Double) {
                self.set_aside(line, &blame)?;
            }
        }
        Ok(())
    }
}
