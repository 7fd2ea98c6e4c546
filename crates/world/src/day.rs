//! The day at the estate.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use standpipe_domain::ids::Millis;

/// Where the estates stand, so where a day begins: China keeps one time, eight hours ahead of UTC.
const OFFSET: Offset = Offset::constant(8);

/// The day at the estate at `time`.
pub fn day(time: Millis) -> Date {
    let time = Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::fixed(OFFSET).to_datetime(time).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_day_begins_at_midnight_of_the_estate() {
        let midnight = Millis(1_688_140_800_000);
        assert_eq!(day(midnight), date(2023, 7, 1));
        assert_eq!(day(Millis(midnight.0 - 1)), date(2023, 6, 30));
    }
}
