//! Limits that readings are judged against. Thresholds are data: they stand in the checklist files.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Units of measurement that a reading can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub enum Unit {
    #[serde(rename = "MPa")]
    Megapascal,
    #[serde(rename = "m")]
    Metre,
    #[serde(rename = "%")]
    Percent,
    #[serde(rename = "L/s")]
    LitrePerSecond,
    #[serde(rename = "°C")]
    Celsius,
    #[serde(rename = "s")]
    Second,
    #[serde(rename = "min")]
    Minute,
    #[serde(rename = "h")]
    Hour,
    #[serde(rename = "kg")]
    Kilogram,
    #[serde(rename = "persons")]
    Persons,
}

/// A closed range in the item's unit; an absent end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Limit {
    #[serde(default)]
    pub min: Option<f64>,
    #[serde(default)]
    pub max: Option<f64>,
}

/// How a reading stands to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    Within,
    TooLow,
    TooHigh,
    /// The item has no limit: the reading is recorded, not judged.
    Unjudged,
}

impl Limit {
    /// Judges `value`, which is in the unit of the limit. The ends themselves are within.
    pub fn judge(&self, value: f64) -> Judgement {
        if self.min.is_none() && self.max.is_none() {
            Judgement::Unjudged
        } else if self.min.is_some_and(|min| value < min) {
            Judgement::TooLow
        } else if self.max.is_some_and(|max| value > max) {
            Judgement::TooHigh
        } else {
            Judgement::Within
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_range_are_within_it() {
        let limit = Limit { min: Some(0.35), max: Some(0.5) };
        assert_eq!(limit.judge(0.35), Judgement::Within);
        assert_eq!(limit.judge(0.5), Judgement::Within);
        assert_eq!(limit.judge(0.349), Judgement::TooLow);
        assert_eq!(limit.judge(0.501), Judgement::TooHigh);
        assert_eq!(Limit::default().judge(7.0), Judgement::Unjudged);
    }
}
