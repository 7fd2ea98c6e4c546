//! `standpipe-sim --seeds N [--first SEED]`

use clap::Parser;
use standpipe_sim::effects::Effects;
use standpipe_sim::run::{Ground, Kept, start_servers};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Simulates tablets, a hub, their network and disks, and looks for what must never happen.
#[derive(Parser)]
// Each is a switch of its own on the command line.
#[allow(clippy::struct_excessive_bools)]
struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many run at once.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Stop at the first failure.
    #[arg(long)]
    stop: bool,
    /// Print everything that happened in a story that failed.
    #[arg(long)]
    trace: bool,
    /// Do not look for a shorter story that fails too.
    #[arg(long)]
    no_shrink: bool,
    /// Only print what happens, in every story, played once.
    #[arg(long)]
    tell: bool,
    /// First play the stories in this folder, each of which failed once.
    #[arg(long)]
    kept: Option<PathBuf>,
    /// Write what fails into this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(kept) = &options.kept
        && !play_kept(kept)
    {
        return ExitCode::FAILURE;
    }
    let next = AtomicU64::new(options.first);
    let ran = AtomicU64::new(0);
    let end = options.first + options.seeds;
    let failed = Mutex::new(Vec::new());
    let effects = Mutex::new(Effects::default());
    start_servers(options.first..end);
    std::thread::scope(|scope| {
        for thread in 0..options.threads {
            let (next, ran, failed, effects, options) = (&next, &ran, &failed, &effects, &options);
            scope.spawn(move || {
                let folder = folder().join(format!("standpipe-sim-{}-{thread}", std::process::id()));
                let ground = Ground::prepare(&folder).expect("the simulation's folder can be made");
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= end {
                        break;
                    }
                    if options.tell {
                        let (_, trace) = ground.play(seed, &standpipe_sim::story::story(seed), true);
                        println!("seed {seed}\n{}", trace.join("\n"));
                        continue;
                    }
                    ran.fetch_add(1, Relaxed);
                    let failure = match ground.run(seed, !options.no_shrink) {
                        Ok(happened) => {
                            if let Ok(mut effects) = effects.lock() {
                                effects.add(happened);
                            }
                            continue;
                        }
                        Err(failure) => failure,
                    };
                    tell(&failure, options.trace);
                    if let Some(keep) = &options.keep {
                        Kept::keep(keep, &failure).expect("a story that failed can be kept");
                    }
                    if let Ok(mut failed) = failed.lock() {
                        failed.push(seed);
                    }
                    if options.stop {
                        next.store(end, Relaxed);
                    }
                }
                let _ = std::fs::remove_dir_all(&folder);
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    let ran = ran.load(Relaxed);
    let effects = effects.into_inner().unwrap_or_default();
    if ran > 0 {
        println!("{effects}");
    }
    let missing = effects.missing();
    for told in &missing {
        println!("too rarely {told}");
    }
    println!("{} passed, {} failed", ran - failed.len() as u64, failed.len());
    if failed.is_empty() && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays the stories that failed once. Whether all of them go well.
fn play_kept(kept: &Path) -> bool {
    let stories = Kept::all(kept).expect("the kept stories can be read");
    let folder = folder().join(format!("standpipe-sim-{}-kept", std::process::id()));
    let ground = Ground::prepare(&folder).expect("the simulation's folder can be made");
    let mut failed = 0;
    for (name, story) in &stories {
        if let (Err(why), _) = ground.play(story.seed, &story.steps, true) {
            println!("{name} fails again: {why}\n  (kept for: {})", story.why);
            failed += 1;
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    println!("{} kept stories passed, {failed} failed", stories.len() - failed);
    failed == 0
}

/// Memory, where there is some to write to: nothing here is to last.
fn folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

fn tell(failure: &standpipe_sim::run::Failure, trace: bool) {
    println!("seed {}: {}", failure.seed, failure.why);
    for step in &failure.steps {
        println!("  {:>12.3?} {:?}", step.at, step.act);
    }
    if trace {
        for line in &failure.trace {
            println!("    {line}");
        }
    }
}
