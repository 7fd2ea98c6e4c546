//! One tablet without a window: the real engine and the real driver as a process of their own, for a test to kill.
//! Somebody works at it, out of a seed; or it only syncs, and says how it stands. It ends when its standard input does.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use standpipe_device::engine::Engine;
use standpipe_device::sync::Handle;
use standpipe_device::world::RealWorld;
use standpipe_tests::fleet::rows::shown;
use standpipe_tests::fleet::{READY, Standing, WHOLE};
use standpipe_tests::inspector::Inspector;
use standpipe_tests::journal::{Journal, read};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

#[derive(Parser)]
struct Options {
    /// The tablet's folder.
    #[arg(long)]
    data: PathBuf,
    /// Where to write what the screens said is saved.
    #[arg(long)]
    journal: PathBuf,
    /// The office to join, where the tablet has not joined one.
    #[arg(long, requires = "code")]
    hub: Option<String>,
    #[arg(long)]
    code: Option<String>,
    /// Somebody works, and this decides at what. Without it the tablet only syncs.
    #[arg(long)]
    work: Option<u64>,
    /// The owners are there to sign.
    #[arg(long)]
    signs: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .init();
    let ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&ended);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        end.store(true, Relaxed);
    });

    let engine = Engine::open(&options.data, Arc::new(RealWorld))?;
    if let (Some(hub), Some(code), None) = (&options.hub, &options.code, engine.store().identity()?) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(engine.join(hub, code)).map_err(|error| anyhow::anyhow!("joining: {error}"))?;
    }
    let mut journal = Journal::open(&options.journal, &engine)?;
    let driver = Handle::spawn(Arc::clone(engine.store()), |_| {})?;
    let rescue = engine.today(driver.line())?.rescue;
    ensure!(rescue.is_none(), "LOST: a sound database was taken for damaged: {rescue:?}");
    println!("{READY}");
    match options.work {
        Some(seed) => work(&engine, &mut journal, (seed, options.signs), &ended)?,
        None => rest(&engine, &driver, &ended)?,
    }
    driver.stop();
    if options.work.is_none() {
        look_through(&engine)?;
        println!("{WHOLE}");
    }
    Ok(())
}

/// Works until told to end.
fn work(
    engine: &Engine,
    journal: &mut Journal,
    (seed, signs): (u64, bool),
    ended: &AtomicBool,
) -> Result<()> {
    let mut inspector = None;
    while !ended.load(Relaxed) {
        let Some(inspector) = &mut inspector else {
            inspector = Inspector::at(engine, seed, signs)?;
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        let photos = inspector.act()?;
        journal.saved(engine, &photos)?;
        std::thread::sleep(Duration::from_millis(inspector.pause()));
    }
    Ok(())
}

/// Says how it stands whenever that changes, until told to end.
fn rest(engine: &Engine, driver: &Handle, ended: &AtomicBool) -> Result<()> {
    let mut told = None;
    while !ended.load(Relaxed) {
        let (cursor, checksum) = read(engine, |conn| {
            conn.query_row("SELECT after, checksum FROM pulled", [], |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        let now = Some(Standing { line: driver.line(), cursor, checksum });
        if now != told {
            println!("{}", serde_json::to_string(&now)?);
            told = now;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// What is shown is what the log says, and what was signed holds.
fn look_through(engine: &Engine) -> Result<()> {
    let before = read(engine, shown)?;
    engine.store().rebuild()?;
    let after = read(engine, shown)?;
    let differs = before.iter().zip(&after).find(|(before, after)| before != after);
    ensure!(differs.is_none(), "made again from its log, the tablet shows other rows: {differs:?}");
    ensure!(before.len() == after.len(), "made again from its log, the tablet shows other rows");
    let rounds = engine.today(standpipe_tests::inspector::nothing())?.rounds;
    for round in rounds {
        for report in engine.verify_seals(round.id)? {
            ensure!(report.genuine && report.unchanged, "what was signed has changed: {report:?}");
            report.countersigned.with_context(|| format!("the hub never countersigned {report:?}"))?;
        }
    }
    Ok(())
}
