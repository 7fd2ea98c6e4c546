//! Answers to the items of a checklist, and what follows from them.

use crate::checklist::{AnswerKind, Checklist, Item};
use crate::ids::Millis;
use crate::limit::{Judgement, Unit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// What an item's answer amounts to, worst first: where two people differ, the worse result is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Fail,
    NotApplicable,
    Pass,
}

/// A number with a unit, as it was read off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Reading {
    pub value: f64,
    pub unit: Unit,
}

/// One item's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Answer {
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// The chosen option's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
    /// A note, or the answer itself where the item asks for text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// When this answer was given (not when the form was opened), by the tablet's clock.
    pub at: Millis,
}

/// Answers by the item's id.
pub type Answers = BTreeMap<String, Answer>;

/// Why an answer cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, TS)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Refusal {
    #[error("the checklist has no item {item}")]
    UnknownItem { item: String },
    #[error("the item asks for a reading in another unit, or for none")]
    WrongKind,
    #[error("a reading is a finite number")]
    NotANumber,
    #[error("the reading does not lie within its limit, so the item does not pass")]
    OutsideLimit,
    #[error("water may not be drawn before these have passed: {}", items.join(", "))]
    Interlocked { items: Vec<String> },
    #[error("a note holds at most {limit} characters")]
    TooLong { limit: u32 },
}

/// The longest note, in characters: a page of text, so that one answer cannot fill a batch.
pub const NOTE_LIMIT: u32 = 4_000;

/// Whether a text that somebody wrote (a note, a finding's words, a reason, a step's words) is short enough: at most
/// [`NOTE_LIMIT`] characters.
pub fn brief(text: &str) -> Result<(), Refusal> {
    if text.chars().count() > NOTE_LIMIT as usize {
        Err(Refusal::TooLong { limit: NOTE_LIMIT })
    } else {
        Ok(())
    }
}

/// How far a check has got, in items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub items: u32,
    pub answered: u32,
    pub failed: u32,
}

impl Tally {
    /// Of a check that was made with `list` and has these outcomes by item. Outcomes of items that the list does not
    /// have do not count. Of a list that this version does not have nobody knows how many items it has, only that an
    /// update is missing: such a check is never finished here.
    pub fn of<'a>(list: Option<&Checklist>, outcomes: impl IntoIterator<Item = (&'a str, Outcome)>) -> Self {
        let mut tally = Self::default();
        for (_, outcome) in
            outcomes.into_iter().filter(|(item, _)| list.is_none_or(|list| list.item(item).is_some()))
        {
            tally.answered += 1;
            tally.failed += u32::from(outcome == Outcome::Fail);
        }
        tally.items =
            list.map_or(tally.answered + 1, |list| u32::try_from(list.items.len()).unwrap_or(u32::MAX));
        tally
    }
}

impl Checklist {
    /// Says whether `answer` may be recorded for `item`, given the answers so far.
    pub fn accept(&self, item: &str, answer: &Answer, so_far: &Answers) -> Result<(), Refusal> {
        let item = self.item(item).ok_or_else(|| Refusal::UnknownItem { item: item.to_owned() })?;
        brief(&answer.note)?;
        item.accept_form(answer)?;
        if item.draws_water && answer.outcome != Outcome::NotApplicable {
            let items = self.open_interlocks(so_far);
            if !items.is_empty() {
                return Err(Refusal::Interlocked { items });
            }
        }
        Ok(())
    }

    /// The interlocks that have not passed yet; water may not be drawn while there is one.
    pub fn open_interlocks(&self, answers: &Answers) -> Vec<String> {
        let passed =
            |item: &&Item| answers.get(&item.id).is_some_and(|answer| answer.outcome == Outcome::Pass);
        self.items.iter().filter(|item| item.interlock && !passed(item)).map(|item| item.id.clone()).collect()
    }
}

impl Item {
    fn accept_form(&self, answer: &Answer) -> Result<(), Refusal> {
        match (&self.answer, answer.outcome) {
            (_, Outcome::NotApplicable) if answer.reading.is_none() && answer.choice.is_none() => Ok(()),
            (AnswerKind::Reading { unit, limit }, outcome) => {
                let reading =
                    answer.reading.filter(|reading| reading.unit == *unit).ok_or(Refusal::WrongKind)?;
                if !reading.value.is_finite() {
                    return Err(Refusal::NotANumber);
                }
                let outside = matches!(limit.judge(reading.value), Judgement::TooLow | Judgement::TooHigh);
                if outside && outcome == Outcome::Pass { Err(Refusal::OutsideLimit) } else { Ok(()) }
            }
            (AnswerKind::Choice { options }, _) => {
                let chosen =
                    answer.choice.as_ref().is_some_and(|id| options.iter().any(|option| option.id == *id));
                if chosen && answer.reading.is_none() { Ok(()) } else { Err(Refusal::WrongKind) }
            }
            (AnswerKind::PassFail | AnswerKind::Text, _) => {
                if answer.reading.is_none() && answer.choice.is_none() {
                    Ok(())
                } else {
                    Err(Refusal::WrongKind)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::AssetKind;
    use crate::checklist::newest_for;

    fn answer(outcome: Outcome) -> Answer {
        Answer { outcome, reading: None, choice: None, note: String::new(), at: Millis(0) }
    }

    fn pressure(value: f64, outcome: Outcome) -> Answer {
        Answer { reading: Some(Reading { value, unit: Unit::Megapascal }), ..answer(outcome) }
    }

    fn standpipe() -> &'static Checklist {
        newest_for(AssetKind::Standpipe).unwrap()
    }

    fn unlocked() -> Answers {
        standpipe()
            .open_interlocks(&Answers::new())
            .into_iter()
            .map(|id| (id, answer(Outcome::Pass)))
            .collect()
    }

    #[test]
    fn water_is_not_drawn_before_every_interlock_has_passed() {
        let list = standpipe();
        let draws = &list.items.iter().find(|item| item.draws_water).unwrap().id;
        let water = |so_far: &Answers| list.accept(draws, &answer(Outcome::Pass), so_far);
        assert!(matches!(water(&Answers::new()), Err(Refusal::Interlocked { .. })));

        let mut answers = unlocked();
        assert_eq!(water(&answers), Ok(()));

        let lock = answers.keys().next().unwrap().clone();
        answers.insert(lock.clone(), answer(Outcome::Fail));
        assert_eq!(water(&answers), Err(Refusal::Interlocked { items: vec![lock.clone()] }));
        answers.insert(lock.clone(), answer(Outcome::NotApplicable));
        assert_eq!(water(&answers), Err(Refusal::Interlocked { items: vec![lock] }));
    }

    #[test]
    fn an_interlocked_item_may_always_be_marked_not_applicable() {
        let draws = &standpipe().items.iter().find(|item| item.draws_water).unwrap().id;
        assert_eq!(standpipe().accept(draws, &answer(Outcome::NotApplicable), &Answers::new()), Ok(()));
    }

    #[test]
    fn a_reading_outside_its_limit_does_not_pass() {
        let accept = |answer: Answer| standpipe().accept("dynamic-pressure", &answer, &unlocked());
        assert_eq!(accept(pressure(0.42, Outcome::Pass)), Ok(()));
        assert_eq!(accept(pressure(0.2, Outcome::Pass)), Err(Refusal::OutsideLimit));
        assert_eq!(accept(pressure(0.2, Outcome::Fail)), Ok(()));
        assert_eq!(accept(pressure(f64::NAN, Outcome::Fail)), Err(Refusal::NotANumber));
        assert_eq!(accept(answer(Outcome::Pass)), Err(Refusal::WrongKind));
    }

    #[test]
    fn an_answer_to_an_unknown_item_or_with_an_endless_note_is_refused() {
        let list = standpipe();
        let unknown = list.accept("no-such-item", &answer(Outcome::Pass), &Answers::new());
        assert!(matches!(unknown, Err(Refusal::UnknownItem { .. })));
        let endless = Answer { note: "字".repeat(4_001), ..answer(Outcome::Pass) };
        let first = &list.items[0].id;
        assert!(matches!(list.accept(first, &endless, &Answers::new()), Err(Refusal::TooLong { .. })));
    }
}
