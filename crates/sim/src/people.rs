//! What people do at a tablet, through the commands of its screens. What a screen refuses is no fault.

use crate::dice::Dice;
use crate::estate::{self, OWNERS, ROUND, STOPS};
use crate::screen::{Screen, end_of_log, given};
use crate::stage::Stage;
use crate::story::{Act, Later};
use serde_json::json;
use standpipe_device::engine::Engine;
use standpipe_device::error::Error;
use standpipe_device::store::{StoreError, Writing};
use standpipe_domain::answer::Outcome;
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::Sha256;
use standpipe_domain::issue::{Step, StepRequest};
use standpipe_domain::record::entity;
use standpipe_domain::signoff::{NewSignOff, Point};
use standpipe_domain::tablet::{AttachTo, NewAmendment, NewFile};
use standpipe_oplog::chain::sha256;
use standpipe_oplog::op::Kind;
use standpipe_oplog::pen::Draft;
use uuid::Uuid;

pub fn act(stage: &mut Stage, act: &Act) -> Result<(), String> {
    let (tablet, stop, item) = match act {
        Act::Answer { tablet, stop, item, .. }
        | Act::Say { tablet, stop, item, .. }
        | Act::Photo { tablet, stop, item, .. }
        | Act::Amend { tablet, stop, item, .. } => (*tablet, *stop, *item),
        Act::Look { tablet, stop }
        | Act::TakeOff { tablet, stop }
        | Act::Choose { tablet, stop }
        | Act::Later { tablet, stop, .. } => (*tablet, *stop, 0),
        Act::Sign { tablet } | Act::Step { tablet: Some(tablet), .. } => (*tablet, 0, 0),
        _ => return Ok(()),
    };
    let item = estate::items()[item].clone();
    if matches!(act, Act::Look { .. } | Act::Answer { .. } | Act::Say { .. } | Act::Choose { .. }) {
        return at_screen(stage, act, tablet, stop, &item);
    }
    let Some(engine) = stage.tablets[tablet].engine() else { return Ok(()) };
    let check = estate::check(stop);
    let mut photos = Vec::new();
    let mut has_nothing_to_do = false;
    let done = match act {
        Act::Photo { bytes, length, is_picture, .. } => {
            let bytes = photo(*bytes, *length, *is_picture);
            attach(engine, stop, &item, &bytes).map(|hash| photos.push((hash, bytes.len() as u64)))
        }
        Act::Amend { fails, .. } => {
            let (answer, reason) = (given(engine, *fails), "looked again".into());
            engine
                .amend(&NewAmendment { check, item, answer, reason, severity: Some(Severity::Minor) })
                .map(drop)
        }
        Act::TakeOff { .. } => take_off(engine, stop),
        Act::Sign { .. } => sign(engine, &mut photos),
        Act::Later { what, .. } => later(engine, stop, *what),
        Act::Step { which, .. } => {
            step(engine, *which, &mut photos).map(|is_taken| has_nothing_to_do = !is_taken)
        }
        _ => Ok(()),
    };
    let told = match &done {
        Ok(()) if has_nothing_to_do => "nothing to do".to_owned(),
        done => told(done),
    };
    stage.note(&format!("tablet {tablet}: {told}"));
    // Also where power failed after that: each of these was told as saved.
    for (hash, bytes) in photos {
        let waits = stage.tablets[tablet].holds_originals();
        stage.oracle.photo(tablet, hash, bytes, waits);
    }
    Ok(())
}

fn told<T>(done: &Result<T, Error>) -> String {
    done.as_ref().map_or_else(Error::code, |_| "done".to_owned())
}

/// Somebody opens a check, or writes there: from what the screen showed when they opened it, where they did.
fn at_screen(stage: &mut Stage, act: &Act, tablet: usize, stop: usize, item: &str) -> Result<(), String> {
    let opened = stage.tablets[tablet].screens.remove(&stop);
    let Some(engine) = stage.tablets[tablet].engine() else { return Ok(()) };
    let write = || {
        let screen = opened.map_or_else(|| Screen::draw(engine, stop), Ok)?;
        let before = end_of_log(engine)?;
        match act {
            Act::Answer { fails, .. } => screen.answer(engine, item, *fails)?,
            Act::Say { words, .. } => screen.say(engine, item, *words)?,
            Act::Choose { .. } => screen.choose(engine)?,
            _ => {}
        }
        let unseen = screen.replaces_unseen(engine, before)?;
        Ok((screen, unseen))
    };
    let done = write();
    stage.note(&format!("tablet {tablet}: {}", told(&done)));
    match done {
        Ok((_, Some(op))) => Err(format!("tablet {tablet} replaces by {op} what its person did not see")),
        Ok((screen, None)) if matches!(act, Act::Look { .. }) => {
            stage.tablets[tablet].screens.insert(stop, screen);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The bytes of a photo. The same numbers give the same photo.
pub fn photo(number: u64, length: u32, is_picture: bool) -> Vec<u8> {
    let mut dice = Dice::new(number ^ u64::from(length) << 8);
    let mut bytes = vec![0; length as usize];
    dice.fill(&mut bytes);
    if is_picture {
        // What stands behind a picture's end belongs to the file, and not to the picture.
        let mut picture = include_bytes!("../data/dot.png").to_vec();
        picture.append(&mut bytes);
        return picture;
    }
    bytes
}

fn attach(engine: &Engine, stop: usize, item: &str, bytes: &[u8]) -> Result<Sha256, Error> {
    let to = AttachTo::Item { check: estate::check(stop), item: item.to_owned() };
    let file = NewFile { name: "photo.png".into(), bytes: bytes.len() as u64, to };
    let upload = engine.attach_begin(file)?;
    for chunk in bytes.chunks(200_000) {
        engine.attach_chunk(&upload, chunk)?;
    }
    engine.attach_end(&upload)?;
    Ok(sha256(bytes))
}

fn take_off(engine: &Engine, stop: usize) -> Result<(), Error> {
    let view = engine.check(estate::check(stop))?;
    let of_check = view.photos.iter().map(|photo| &photo.evidence);
    let of_findings =
        view.findings.iter().flat_map(|finding| finding.photos.iter().map(|photo| &photo.evidence));
    let Some(photo) = of_check.chain(of_findings).next() else { return Ok(()) };
    let item = photo.item.clone().unwrap_or_default();
    engine.detach(view.id, &item, photo.sha256).map(drop)
}

/// Records as a later version of the app would. What it writes this version has no command for.
fn later(engine: &Engine, stop: usize, what: Later) -> Result<(), Error> {
    let (id, value) = (estate::check(stop).0, json!({ "bar": 2.5 }));
    let draft = match what {
        Later::Field => Draft::set(entity::CHECK, id, "pressure-of-tomorrow", value, None),
        Later::Kind => {
            let kind = Kind::Unknown;
            Draft { kind, ..Draft::set(entity::CHECK, id, "pressure-of-tomorrow", value, None) }
        }
        Later::Entity => Draft::set("leak-test", engine.store().world().uuid(), "pressure", value, None),
    };
    let write = |writing: &mut Writing<'_>| writing.record(draft).map(drop);
    engine.store().write("recording as a later version", write).map_err(|error: StoreError| error.into())
}

/// Moves one of the issues on for which the screen offers a step, if there is one. Who verifies shows a photo.
fn step(engine: &Engine, which: u64, photos: &mut Vec<(Sha256, u64)>) -> Result<bool, Error> {
    let mut dice = Dice::new(which);
    let mut offered = Vec::new();
    for line in engine.issues()? {
        offered.extend(engine.issue(line.id)?.next_steps.into_iter().map(|step| (line.id, step)));
    }
    let Some((issue, step)) = dice.pick(&offered).copied() else { return Ok(false) };
    let seen = engine.issue(issue)?.seen();
    if step == Step::Verify {
        let bytes = photo(which, 500, true);
        let file =
            NewFile { name: "fix.png".into(), bytes: bytes.len() as u64, to: AttachTo::Issue { issue } };
        let upload = engine.attach_begin(file)?;
        engine.attach_chunk(&upload, &bytes)?;
        engine.attach_end(&upload)?;
        photos.push((sha256(&bytes), bytes.len() as u64));
    }
    engine.issue_step(issue, &StepRequest { seen, ..request(step) }).map(|_| true)
}

/// A step with everything that it may need.
pub fn request(step: Step) -> StepRequest {
    let date = Some(jiff::civil::date(2033, 7, 1));
    StepRequest {
        unit: Some(estate::PROPERTY),
        person: Some(estate::STAFF),
        date,
        words: "soon".into(),
        ..StepRequest::bare(step)
    }
}

/// Does what is left, and lets the owners sign.
fn sign(engine: &Engine, photos: &mut Vec<(Sha256, u64)>) -> Result<(), Error> {
    for stop in 0..STOPS {
        let mut screen = Screen::draw(engine, stop)?;
        if screen.view.sealed.is_some() {
            continue;
        }
        while !screen.view.conflicts.is_empty() {
            screen.choose(engine)?;
            screen = Screen::draw(engine, stop)?;
        }
        for item in estate::items() {
            if !screen.view.answers.contains_key(&item) {
                screen.answer(engine, &item, false)?;
            }
        }
        let screen = Screen::draw(engine, stop)?;
        let failed = screen.view.answers.iter().filter(|(_, answer)| answer.outcome == Outcome::Fail);
        for (item, _) in failed {
            screen.tell(engine, item, Severity::Minor, "worn")?;
            let bytes = photo(9, 300 + u32::try_from(stop).unwrap_or(0), true);
            photos.push((attach(engine, stop, item, &bytes)?, bytes.len() as u64));
        }
    }
    let round = engine.round(ROUND)?;
    let new = NewSignOff {
        round: ROUND,
        unit: OWNERS,
        name: format!("{}", Uuid::nil()),
        objection: None,
        strokes: vec![vec![Point(0, 0, 0), Point(10, 10, 5), Point(20, 5, 9)]],
        digest: round.digest,
    };
    engine.sign(new).map(drop)
}
