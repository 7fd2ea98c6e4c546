//! What really came of the stories: an act that is told, and comes to nothing, shows nothing of the program.

use std::cell::Cell;
use std::fmt;

/// Something that is worth nothing unless it really happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Signed,
    SetAsideAsSealed,
    SetAsideAsNotAllowed,
    SetAsideAsNotFromHere,
    SetAsideAsRevoked,
    Conflict,
    KeptAgainstDelete,
    Forked,
    HubRestored,
    HubMoved,
    WrittenBeside,
    Cloned,
    Returned,
    SameAnswer,
    SamePhoto,
    TrackerFailed,
    TrackerLocked,
    TrackerCovered,
    TrackerRefused,
    DeletedInTracker,
    CopiedInTracker,
    ClosedInTracker,
    PowerBeforeCommit,
    PowerAfterCommit,
    PowerBeforeSync,
    PowerAfterSync,
    DiskFull,
    AppTooOld,
    SaidTooOld,
    Updated,
    SignatureNumberedAnew,
    WrittenUnseen,
}

/// Each of them, in what words it is told of, and in how many seeds of 1,000 it happens at least: about half of what was
/// measured, and less where it is rare.
const ALL: [(Effect, &str, u64); 32] = [
    (Effect::Signed, "a signature at the hub", 200),
    (Effect::SetAsideAsSealed, "set aside as sealed", 70),
    (Effect::SetAsideAsNotAllowed, "set aside as not allowed", 8),
    (Effect::SetAsideAsNotFromHere, "set aside as overtaken", 22),
    (Effect::SetAsideAsRevoked, "set aside as withdrawn", 22),
    (Effect::Conflict, "a field with two sides", 200),
    (Effect::KeptAgainstDelete, "a record kept against a delete", 30),
    (Effect::Forked, "409 forked", 40),
    (Effect::HubRestored, "the hub restored", 65),
    (Effect::HubMoved, "the hub's database moved", 2),
    (Effect::WrittenBeside, "a commit held open beside the hub", 1),
    (Effect::Cloned, "a tablet cloned", 95),
    (Effect::Returned, "a tablet without what it had after its copy", 20),
    (Effect::SameAnswer, "one item answered by two who did not know", 95),
    (Effect::SamePhoto, "one photo on two tablets", 28),
    (Effect::TrackerFailed, "the tracker fails", 15),
    (Effect::TrackerLocked, "the tracker knows no key", 18),
    (Effect::TrackerCovered, "the tracker behind a page", 20),
    (Effect::TrackerRefused, "the tracker refuses an issue", 5),
    (Effect::DeletedInTracker, "an issue deleted in the tracker", 40),
    (Effect::CopiedInTracker, "an issue copied there", 15),
    (Effect::ClosedInTracker, "an issue closed there", 18),
    (Effect::PowerBeforeCommit, "power lost before a commit", 30),
    (Effect::PowerAfterCommit, "power lost after a commit", 30),
    (Effect::PowerBeforeSync, "power lost before another sync", 8),
    (Effect::PowerAfterSync, "power lost after another sync", 7),
    (Effect::DiskFull, "a full disk", 140),
    (Effect::AppTooOld, "426 for an old app", 18),
    (Effect::SaidTooOld, "an old app that says so", 15),
    (Effect::Updated, "an old app updated", 10),
    (Effect::SignatureNumberedAnew, "a signature numbered anew", 30),
    (Effect::WrittenUnseen, "a field written over news that its author did not see", 50),
];

/// From so many seeds on, what happens too rarely is a fault.
const ENOUGH: u64 = 1_000;

thread_local! {
    static HAPPENED: Cell<u64> = const { Cell::new(0) };
}

/// It happens, in the story that this thread plays.
pub fn happens(effect: Effect) {
    HAPPENED.set(HAPPENED.get() | effect.bit());
}

/// Whether it has happened there.
pub fn has_happened(effect: Effect) -> bool {
    HAPPENED.get() & effect.bit() != 0
}

/// All that has happened in one story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened(u64);

impl Happened {
    /// What happened on this thread since this was asked last.
    pub fn take() -> Self {
        Self(HAPPENED.take())
    }
}

impl Effect {
    fn bit(self) -> u64 {
        1 << self as u64
    }
}

/// In how many seeds each happened.
#[derive(Default)]
pub struct Effects {
    seeds: u64,
    counts: [u64; ALL.len()],
}

impl Effects {
    /// Counts what happened in a further seed.
    pub fn add(&mut self, Happened(happened): Happened) {
        self.seeds += 1;
        for ((effect, ..), count) in ALL.iter().zip(&mut self.counts) {
            *count += u64::from(happened & effect.bit() != 0);
        }
    }

    /// What happened in fewer seeds than it must have, in words. Of few seeds nothing is asked.
    pub fn missing(&self) -> Vec<String> {
        let least = |of_1000: u64| if self.seeds < ENOUGH { 0 } else { of_1000 * self.seeds / 1_000 };
        let all =
            ALL.iter().zip(&self.counts).map(|((_, words, of_1000), count)| (words, least(*of_1000), count));
        all.filter(|(_, least, count)| *count < least)
            .map(|(words, least, count)| {
                format!("{words}: in {count} of {} seeds, and should be in {least} at least", self.seeds)
            })
            .collect()
    }
}

impl fmt::Display for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "of {} seeds so many had:", self.seeds)?;
        for ((_, words, _), count) in ALL.iter().zip(&self.counts) {
            write!(f, " {words} {count};")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_once_for_a_seed_and_as_what_it_is() {
        let mut effects = Effects::default();
        for (at, (effect, ..)) in ALL.iter().enumerate() {
            assert_eq!(*effect as usize, at, "in the table where its name stands");
        }
        happens(Effect::Conflict);
        happens(Effect::Conflict);
        assert!(has_happened(Effect::Conflict) && !has_happened(Effect::Forked));
        effects.add(Happened::take());
        assert!(!has_happened(Effect::Conflict), "the next story begins anew");
        effects.add(Happened::take());
        let told = effects.to_string();
        assert!(told.starts_with("of 2 seeds") && told.contains("a field with two sides 1;"), "{told}");
        assert!(told.contains("409 forked 0;"), "{told}");
    }

    #[test]
    fn what_happens_too_rarely_is_told_from_a_thousand_seeds_on() {
        let every = Happened(u64::MAX);
        let mut effects = Effects::default();
        for seed in 0..ENOUGH {
            assert_eq!(effects.missing(), [""; 0], "after {seed} seeds nothing is asked");
            effects.add(if seed == 0 { every } else { Happened(!Effect::Conflict.bit()) });
        }
        let least = ALL[Effect::Conflict as usize].2;
        let told = format!("a field with two sides: in 1 of 1000 seeds, and should be in {least} at least");
        assert_eq!(effects.missing(), [told]);
    }
}
