//! Measured figures.

use serde_json::{Value, json};
use std::time::Duration;

/// Prints a figure as one line of JSON, with what `more`, an object, tells of it.
pub fn report(bench: &str, value: f64, unit: &str, more: Value) {
    let mut line = json!({ "bench": bench, "value": rounded(value), "unit": unit });
    if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
        line.extend(more);
    }
    println!("{line}");
}

/// To three places.
pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// In milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The time that `share` of all stayed below, in milliseconds. Puts the times into order.
///
/// # Panics
/// When there are none.
pub fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let at = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len());
    millis(times[at - 1])
}
