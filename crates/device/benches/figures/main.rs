//! Measures what a person waits for. Prints one line of JSON for each figure.
//!
//! Run with a name (`save_check`, `search`, …) it measures that one only.

mod estate;
mod photos;
mod records;

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
