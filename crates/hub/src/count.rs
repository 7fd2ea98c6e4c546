//! Numbers in sentences.

/// `1 photo`, `2 photos`.
pub fn count(number: impl TryInto<u64>, one: &str, many: &str) -> String {
    // What is counted here fits: a count of things in memory, or of rows.
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `1 photo`, `2 photos`.
pub fn photos(number: impl TryInto<u64>) -> String {
    count(number, "photo", "photos")
}

/// `is` after one, `are` after any other number.
pub fn is(number: impl TryInto<u64>) -> &'static str {
    if number.try_into().is_ok_and(|number: u64| number == 1) { "is" } else { "are" }
}
