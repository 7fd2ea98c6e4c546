//! Rounds and the checks along their route.

use crate::checklist::ChecklistRef;
use crate::ids::{AssetId, CheckId, RoundId, UnitId};
use crate::words::Words;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum RoundKind {
    Routine,
    SpotCheck,
    Commissioning,
    FollowUp,
}

/// One walk, as it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Round {
    pub id: RoundId,
    pub kind: RoundKind,
    pub title: Words,
    #[ts(type = "string")]
    pub due: Date,
    #[serde(default)]
    pub reason: Option<Words>,
    /// Units that walk along.
    #[serde(default)]
    pub present: Vec<UnitId>,
    /// Units whose representative must sign.
    #[serde(default)]
    pub sign_off_of: Vec<UnitId>,
}

/// One checklist to be filled in for one asset in one round: a stop on the route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Check {
    pub id: CheckId,
    pub round: RoundId,
    pub asset: AssetId,
    pub checklist: ChecklistRef,
    /// The place of the stop on the route, from 0.
    pub order: u32,
}

/// How far a round has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum RoundState {
    Planned,
    Overdue,
    UnderWay,
    /// Every item is answered; signatures are missing.
    ToSign,
    Signed,
}

/// What decides a round's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub items: u32,
    pub answered: u32,
    pub to_sign: u32,
    pub signed: u32,
}

impl RoundState {
    /// The state on the day `today`. A round that nobody has to sign is signed when every item is answered.
    pub fn of(progress: Progress, due: Date, today: Date) -> Self {
        let Progress { items, answered, to_sign, signed } = progress;
        if answered < items {
            return match (answered, today > due) {
                (_, true) => Self::Overdue,
                (0, false) => Self::Planned,
                (_, false) => Self::UnderWay,
            };
        }
        if signed < to_sign { Self::ToSign } else { Self::Signed }
    }
}

/// How far one stop has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum StopState {
    Open,
    UnderWay,
    Passed,
    Failed,
}

impl StopState {
    /// Failed as soon as one item failed; passed when all are answered and none failed.
    pub fn of(items: u32, answered: u32, failed: u32) -> Self {
        match (answered, failed) {
            (_, 1..) => Self::Failed,
            (0, 0) => Self::Open,
            _ if answered < items => Self::UnderWay,
            _ => Self::Passed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_round_is_signed_only_when_everything_is_answered_and_everybody_has_signed() {
        let due = date(2023, 7, 1);
        let state = |answered, signed, today| {
            RoundState::of(Progress { items: 10, answered, to_sign: 3, signed }, due, today)
        };
        assert_eq!(state(0, 0, due), RoundState::Planned);
        assert_eq!(state(4, 0, due), RoundState::UnderWay);
        assert_eq!(state(4, 0, date(2023, 7, 2)), RoundState::Overdue);
        assert_eq!(state(10, 2, due), RoundState::ToSign);
        assert_eq!(state(10, 3, date(2023, 8, 1)), RoundState::Signed);
    }

    #[test]
    fn a_stop_has_failed_as_soon_as_one_item_has() {
        assert_eq!(StopState::of(5, 0, 0), StopState::Open);
        assert_eq!(StopState::of(5, 2, 0), StopState::UnderWay);
        assert_eq!(StopState::of(5, 2, 1), StopState::Failed);
        assert_eq!(StopState::of(5, 5, 0), StopState::Passed);
    }
}
