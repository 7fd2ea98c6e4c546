//! Measures what a person waits for. Prints one line of JSON for each figure.
//!
//! Run with a name (`save_check`, `search`, …) it measures that one only.

mod estate;
mod photos;
mod records;

use serde_json::{Value, json};
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    // Cargo adds `--bench`; what else begins with dashes is for the child processes.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--today", folder] => records::today(folder.as_ref()),
        ["--ingest", folder, photo] => photos::ingest(folder.as_ref(), photo.as_ref()),
        wanted => figures(wanted),
    }
}

fn figures(wanted: &[&str]) -> Outcome<()> {
    let asked = |names: &[&str]| wanted.is_empty() || names.iter().any(|name| wanted.contains(name));
    if asked(&["save_check", "today_cold"]) {
        records::measure()?;
    }
    if asked(&["search"]) {
        records::search()?;
    }
    if asked(&["photo_in", "memory"]) {
        photos::measure()?;
    }
    Ok(())
}

/// Prints a figure.
fn report(bench: &str, value: f64, unit: &str, more: Value) {
    let mut line = json!({ "bench": bench, "value": rounded(value), "unit": unit });
    if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
        line.extend(more);
    }
    println!("{line}");
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The time that `share` of all stayed below, in milliseconds.
fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let at = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len());
    millis(times[at - 1])
}
