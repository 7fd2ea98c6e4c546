//! Runs seeds: each twice, which must give the same trace. What fails is made shorter until a person can read it.

#[cfg(test)]
mod tests;

use crate::effects::Happened;
use crate::postgres;
use crate::stage::{Stage, prepare, words};
use crate::story::{Act, Step, story};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Why a seed failed, and the shortest story found that fails too.
pub struct Failure {
    pub seed: u64,
    pub why: String,
    pub steps: Vec<Step>,
    pub trace: Vec<String>,
}

/// A story that failed once, kept so that it is played again and again: seeds make other stories once anything about
/// their making changes.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    /// What went wrong then.
    pub why: String,
    pub seed: u64,
    pub steps: Vec<Step>,
}

impl Kept {
    /// The stories in a folder, by the names of their files.
    ///
    /// # Errors
    /// A file that cannot be read, or is no story.
    pub fn all(folder: &Path) -> anyhow::Result<Vec<(String, Self)>> {
        let mut kept = Vec::new();
        for file in std::fs::read_dir(folder)? {
            let path = file?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path)?;
            let story = serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
            kept.push((name, story));
        }
        kept.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(kept)
    }

    /// Writes a story that failed into a folder, a step on each line, under a name that is free there.
    ///
    /// # Errors
    /// The disk's own.
    pub fn keep(folder: &Path, Failure { seed, why, steps, .. }: &Failure) -> anyhow::Result<()> {
        let steps: Vec<_> = steps.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let (why, steps) = (serde_json::to_string(why)?, steps.join(",\n  "));
        let text = format!("{{\n \"why\": {why},\n \"seed\": {seed},\n \"steps\": [\n  {steps}\n ]\n}}\n");
        std::fs::create_dir_all(folder)?;
        // What is there may have failed otherwise, when this seed made another story.
        let mut names = (1..).map(|count| match count {
            1 => format!("seed-{seed}.json"),
            _ => format!("seed-{seed}-{count}.json"),
        });
        let free = names.find(|name| !folder.join(name).exists()).unwrap_or_default();
        Ok(std::fs::write(folder.join(free), text)?)
    }
}

/// Starts the server that some of these stories need. A process that is being started has for a moment all that every thread
/// has open, locks too, and a tablet that starts again just then would find its own still held: so nothing plays meanwhile.
pub fn start_servers(mut seeds: Range<u64>) {
    if seeds.any(|seed| story(seed).iter().any(|step| step.act == Act::Move)) {
        postgres::database();
    }
}

/// Where simulations run: one folder for what every story begins with, one for the story.
pub struct Ground {
    template: PathBuf,
    folder: PathBuf,
}

impl Ground {
    /// Prepares simulations in `folder`, which is emptied.
    pub fn prepare(folder: &Path) -> std::io::Result<Self> {
        let _ = std::fs::remove_dir_all(folder);
        let template = folder.join("template");
        std::fs::create_dir_all(&template)?;
        for name in ["hub", "tablet-0", "tablet-1", "tablet-2"] {
            std::fs::create_dir_all(template.join(name))?;
        }
        prepare(&template);
        Ok(Self { template, folder: folder.to_owned() })
    }

    /// Plays a story once, watched or not.
    pub fn play(&self, seed: u64, steps: &[Step], is_watched: bool) -> Played {
        let root = self.folder.join("story");
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).expect("the simulation's folder can be made");
        let played =
            catch_unwind(AssertUnwindSafe(|| Stage::play(&root, &self.template, seed, steps, is_watched)));
        played.unwrap_or_else(|panic| (Err(format!("panicked: {}", words(&*panic))), Vec::new()))
    }

    /// Runs a seed twice. Gives what happened in it.
    ///
    /// # Errors
    /// [`Failure`], with its story as short as it could be made.
    pub fn run(&self, seed: u64, shrink: bool) -> Result<Happened, Box<Failure>> {
        twice(seed, story(seed), shrink, |steps, is_watched| self.play(seed, steps, is_watched))
    }
}

/// What comes of a story: what went wrong, and what happened one after the other.
type Played = (Result<(), String>, Vec<String>);

/// Plays a story by `play`, watched, and once more unwatched, which must give the same trace.
fn twice(
    seed: u64,
    steps: Vec<Step>,
    shrinks: bool,
    mut play: impl FnMut(&[Step], bool) -> Played,
) -> Result<Happened, Box<Failure>> {
    // Of a story that was played before on this thread.
    Happened::take();
    let (first, trace) = play(&steps, true);
    let happened = Happened::take();
    if let Err(why) = first {
        let failure = Failure { seed, why, steps, trace };
        return Err(Box::new(if shrinks { shrink(failure, play) } else { failure }));
    }
    let (_, again) = play(&steps, false);
    if let Some(at) = (0..trace.len().max(again.len())).find(|at| trace.get(*at) != again.get(*at)) {
        let why = format!("the same seed gave another trace: {:?} / {:?}", trace.get(at), again.get(at));
        return Err(Box::new(Failure { seed, why, steps, trace }));
    }
    Ok(happened)
}

/// Takes steps out for as long as what is left still fails in the same way.
fn shrink(failure: Failure, mut play: impl FnMut(&[Step], bool) -> Played) -> Failure {
    let Failure { seed, mut why, mut steps, mut trace } = failure;
    let kind = kind(&why);
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        let mut is_shorter = false;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(fewer.len()));
            match play(&fewer, true) {
                (Err(still), new) if self::kind(&still) == kind => {
                    (steps, why, trace, is_shorter) = (fewer, still, new, true);
                }
                _ => at += size,
            }
        }
        if size > 1 || !is_shorter {
            size /= 2;
        }
    }
    Failure { seed, why, steps, trace }
}

/// What went wrong, without who and what it happened to.
fn kind(why: &str) -> String {
    let is_plain = |word: &&str| word.chars().all(|letter| letter.is_alphabetic() || letter == '\'');
    why.split_whitespace().filter(is_plain).take(6).collect::<Vec<_>>().join(" ")
}
