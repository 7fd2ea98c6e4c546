//! The hub's side of a push: what is new, what is known already, and what does not fit.

use crate::wire::{PushConflict, PushHead};
use standpipe_domain::ids::Sha256;

/// What the hub holds of one incarnation of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub last_seq: u64,
    pub last_hash: Sha256,
}

/// What is to be done with a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Take the operations from this index on; those before it are held already, and acknowledged again.
    Take {
        from: usize,
    },
    Conflict(PushConflict),
}

/// Judges a push whose operations have the hashes `hashes`, in their order.
///
/// `hash_at` gives the hash that the hub holds at a sequence number of this incarnation. `next_incarnation` is one that
/// no push of this device has used.
pub fn receive<E>(
    head: &PushHead,
    hashes: &[Sha256],
    state: Held,
    next_incarnation: u32,
    mut hash_at: impl FnMut(u64) -> Result<Option<Sha256>, E>,
) -> Result<Verdict, E> {
    if head.after > state.last_seq {
        return Ok(Verdict::Conflict(PushConflict::Expected { expected: state.last_seq + 1 }));
    }
    let forked = Ok(Verdict::Conflict(PushConflict::Forked { incarnation: next_incarnation }));
    let before = match head.after {
        0 => Some(crate::chain::START),
        seq if seq == state.last_seq => Some(state.last_hash),
        seq => hash_at(seq)?,
    };
    if before != Some(head.prev_hash) {
        return forked;
    }
    let known = usize::try_from(state.last_seq - head.after).unwrap_or(usize::MAX).min(hashes.len());
    // The chain makes the last known hash stand for all before it.
    if let Some(last) = known.checked_sub(1) {
        let seq = head.after + known as u64;
        let kept = if seq == state.last_seq { Some(state.last_hash) } else { hash_at(seq)? };
        if kept != Some(hashes[last]) {
            return forked;
        }
    }
    Ok(Verdict::Take { from: known })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{START, link};
    use std::convert::Infallible;

    fn chain(bodies: &[&str]) -> Vec<Sha256> {
        let mut prev = START;
        let next = |body: &&str| {
            prev = link(prev, body);
            prev
        };
        bodies.iter().map(next).collect()
    }

    /// The verdict of a hub that holds `held` on a push of `sent` behind the first `after` of them.
    fn verdict(held: &[&str], sent: &[&str], after: usize) -> Verdict {
        let (ours, theirs) = (chain(held), chain(sent));
        let at =
            |hashes: &[Sha256], seq: usize| if seq == 0 { Some(START) } else { hashes.get(seq - 1).copied() };
        let push = PushHead {
            protocol: 1,
            incarnation: 1,
            after: after as u64,
            prev_hash: at(&theirs, after).unwrap_or(START),
        };
        let state = Held { last_seq: ours.len() as u64, last_hash: at(&ours, ours.len()).unwrap() };
        receive::<Infallible>(&push, &theirs[after..], state, 2, |seq| {
            Ok(at(&ours, usize::try_from(seq).unwrap()))
        })
        .unwrap()
    }

    const FORKED: Verdict = Verdict::Conflict(PushConflict::Forked { incarnation: 2 });

    #[test]
    fn what_is_new_is_taken_and_what_is_known_acknowledged_again() {
        assert_eq!(verdict(&[], &["a", "b"], 0), Verdict::Take { from: 0 });
        assert_eq!(verdict(&["a"], &["a", "b"], 0), Verdict::Take { from: 1 });
        assert_eq!(verdict(&["a"], &["a", "b"], 1), Verdict::Take { from: 0 });
        assert_eq!(verdict(&["a", "b", "c"], &["a", "b"], 0), Verdict::Take { from: 2 });
    }

    #[test]
    fn a_gap_is_told_with_what_is_expected() {
        let expected = |expected| Verdict::Conflict(PushConflict::Expected { expected });
        assert_eq!(verdict(&["a"], &["a", "b", "c"], 2), expected(2));
        assert_eq!(verdict(&[], &["a"], 1), expected(1));
    }

    #[test]
    fn a_cloned_tablet_is_found_wherever_the_chains_part() {
        assert_eq!(verdict(&["a", "b"], &["a", "X"], 0), FORKED);
        assert_eq!(verdict(&["a", "b"], &["a", "X", "c"], 0), FORKED);
        assert_eq!(verdict(&["a", "b"], &["a", "X", "c"], 2), FORKED);
        assert_eq!(verdict(&["a", "b", "c"], &["a", "X"], 1), FORKED);
    }
}
