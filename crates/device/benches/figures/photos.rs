//! Photos on their way in: durable originals, previews, memory.

use crate::Outcome;
use jpeg_encoder::{ColorType, Encoder};
use serde_json::json;
use standpipe_device::engine::Engine;
use standpipe_device::testing::figure::{percentile, report, rounded};
use standpipe_device::testing::{Office, check, identity};
use standpipe_device::world::RealWorld;
use standpipe_domain::tablet::{AttachTo, NewFile};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const WIDTH: u16 = 4_000;
const HEIGHT: u16 = 3_000;
const PHOTOS: u32 = 20;
const INGESTED: u32 = 50;
/// As large as the pieces in which the screen hands a file over.
const PIECE: usize = 4 << 20;

pub fn measure() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let photo = folder.path().join("photo.jpg");
    fs::write(&photo, twelve_megapixels()?)?;
    photo_in(&folder.path().join("data"), &photo)?;
    memory(&folder.path().join("memory"), &photo)
}

/// A photo with fine and coarse detail, so that it is as large as a camera's.
fn twelve_megapixels() -> Outcome<Vec<u8>> {
    let mut noise = 0x2545_F491_u32;
    let mut pixels = Vec::with_capacity(usize::from(WIDTH) * usize::from(HEIGHT) * 3);
    for y in 0..u32::from(HEIGHT) {
        for x in 0..u32::from(WIDTH) {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let grain = noise % 24;
            for shade in [x / 20 + grain, y / 16 + grain, (x + y) / 32 + grain] {
                pixels.push(u8::try_from(shade % 256)?);
            }
        }
    }
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 85).encode(&pixels, WIDTH, HEIGHT, ColorType::Rgb)?;
    Ok(jpeg)
}

fn open(folder: &Path) -> Outcome<Engine> {
    let engine = Engine::open(folder, Arc::new(RealWorld))?;
    engine.enrol(&identity(1))?;
    if !Office::with_estate().deliver(engine.store())? {
        return Err("the checksums differ".into());
    }
    Ok(engine)
}

/// Brings a file in as the screen does; gives how long it took until it was durable.
fn bring_in(engine: &Engine, item: &str, bytes: &[u8]) -> Outcome<Duration> {
    let to = AttachTo::Item { check: check(0), item: item.to_owned() };
    let start = Instant::now();
    let file = NewFile { name: "photo.jpg".into(), bytes: bytes.len() as u64, to };
    let upload = engine.attach_begin(file)?;
    for piece in bytes.chunks(PIECE) {
        engine.attach_chunk(&upload, piece)?;
    }
    engine.attach_end(&upload)?;
    Ok(start.elapsed())
}

fn first_item(engine: &Engine) -> Outcome<String> {
    let list = engine.check(check(0))?.checklist.ok_or("no checklist")?;
    Ok(list.items[0].id.clone())
}

/// The photo with a few bytes behind it, which no decoder reads: another hash, the same picture.
fn another(photo: &[u8], n: u32) -> Vec<u8> {
    [photo, &n.to_be_bytes()].concat()
}

fn photo_in(folder: &Path, path: &Path) -> Outcome<()> {
    let engine = open(folder)?;
    let item = first_item(&engine)?;
    let photo = fs::read(path)?;
    let vips = has_vips();
    let (mut durable, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..PHOTOS {
        let bytes = another(&photo, n);
        durable.push(bring_in(&engine, &item, &bytes)?);
        let start = Instant::now();
        engine.finish_previews();
        ours.push(start.elapsed());
        if vips {
            theirs.push(vips_thumbnails(path)?);
        }
    }
    let mut more = json!({
        "of": "the slowest", "photos": PHOTOS, "median": rounded(percentile(&mut durable, 0.5)),
        "megapixels": 12, "megabytes": rounded(f64::from(u32::try_from(photo.len())?) / 1e6),
        "preview_ms": rounded(percentile(&mut ours, 0.5)),
    });
    if vips {
        let (ours, theirs) = (percentile(&mut ours, 0.5), percentile(&mut theirs, 0.5));
        more["vips_ms"] = json!(rounded(theirs));
        more["ratio"] = json!(rounded(ours / theirs));
    } else {
        more["vips_ms"] = json!("vipsthumbnail is not installed");
    }
    report("photo_in", percentile(&mut durable, 1.0), "ms", more);
    Ok(())
}

fn has_vips() -> bool {
    let quiet = Command::new("vipsthumbnail").arg("--version").stdout(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// The same two sizes, made by libvips.
fn vips_thumbnails(photo: &Path) -> Outcome<Duration> {
    let start = Instant::now();
    for (size, quality) in [("2048x2048>", 82), ("320x320>", 75)] {
        let output = photo.with_extension(format!("{quality}.jpg"));
        let output = format!("{}[Q={quality},strip]", output.display());
        let done = Command::new("vipsthumbnail").arg(photo).args(["-s", size, "-o", &output]).status()?;
        if !done.success() {
            return Err("vipsthumbnail failed".into());
        }
    }
    Ok(start.elapsed())
}

fn memory(folder: &Path, photo: &Path) -> Outcome<()> {
    let child = Command::new(std::env::current_exe()?).arg("--ingest").args([folder, photo]).output()?;
    if !child.status.success() {
        return Err(String::from_utf8_lossy(&child.stderr).into());
    }
    let kilobytes: u32 = String::from_utf8_lossy(&child.stdout).trim().parse()?;
    report("memory", f64::from(kilobytes) / 1024.0, "MB", json!({ "photos": INGESTED, "megapixels": 12 }));
    Ok(())
}

/// The child process of [`memory`]: brings photos in one after another, each with its previews, and says how many
/// kilobytes it had at its peak.
pub fn ingest(folder: &Path, photo: &Path) -> Outcome<()> {
    let engine = open(folder)?;
    let item = first_item(&engine)?;
    for n in 0..INGESTED {
        // Read in pieces, as the screen hands it over: the whole file is never in memory.
        let mut file = fs::File::open(photo)?;
        let bytes = file.metadata()?.len() + 4;
        let to = AttachTo::Item { check: check(0), item: item.clone() };
        let upload = engine.attach_begin(NewFile { name: "photo.jpg".into(), bytes, to })?;
        loop {
            let mut piece = Vec::new();
            if file.by_ref().take(PIECE as u64).read_to_end(&mut piece)? == 0 {
                break;
            }
            engine.attach_chunk(&upload, &piece)?;
        }
        engine.attach_chunk(&upload, &n.to_be_bytes())?;
        engine.attach_end(&upload)?;
        engine.finish_previews();
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    println!("{}", peak.trim().trim_end_matches(" kB"));
    Ok(())
}
