//! The engine as its screens use it: a real database and vault in a folder of its own.

mod durable;
mod full_disk;
mod issues;
mod jose;
mod kept;
mod meanwhile;
mod merging;
mod on_disk;
mod outbox;
mod photos;
mod pulling;
mod rebuilding;
mod recording;
mod searching;
mod seen;
mod signing;

use crate::engine::Engine;
use crate::error::Error;
use crate::testing::{OWNERS, Office, ROUND, check, identity};
use crate::world::TestWorld;
use jiff::civil::Date;
use standpipe_domain::answer::{Answer, Outcome, Reading};
use standpipe_domain::checklist::{AnswerKind, Checklist, Item};
use standpipe_domain::evidence::EvidenceView;
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{CheckId, Millis, UnitId};
use standpipe_domain::limit::Limit;
use standpipe_domain::signoff::{NewSignOff, Point};
use standpipe_domain::sync::{SyncLine, SyncState};
use standpipe_domain::tablet::{
    AttachTo, CheckView, NewAmendment, NewAnswer, NewFile, NewFinding, RoundView, Today,
};
use standpipe_oplog::wire::PullHead;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::{fs, io};
use tempfile::TempDir;
use uuid::Uuid;

/// Held for writing while a process is being started. Until its own program runs, that process has a copy of every open
/// file, and with it the lock of a tablet that another test has just closed and opens again.
static STARTING: RwLock<()> = RwLock::new(());

/// Holds off every start of a process.
pub fn none_starting() -> RwLockReadGuard<'static, ()> {
    STARTING.read().unwrap_or_else(PoisonError::into_inner)
}

/// Runs another program to its end.
pub fn run(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let alone = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    let child = command.spawn();
    drop(alone);
    child?.wait_with_output()
}

/// A repair brings everything that the office has.
pub fn replace_all(tablet: &Tablet) {
    let all = &tablet.office.log;
    let head = PullHead {
        protocol: 1,
        hub_epoch: Uuid::from_u128(0xE),
        from: 0,
        next: all.last().unwrap().seq,
        more: false,
        checksum: String::new(),
        now: Millis(0),
    };
    tablet.engine.store().replace_page(&head, all).unwrap();
}

/// A tablet that holds the test estate.
pub struct Tablet {
    pub engine: Engine,
    pub world: Arc<TestWorld>,
    pub folder: TempDir,
    pub office: Office,
}

/// A check of an extinguisher, and one of a standpipe.
pub const EXTINGUISHER: u32 = 0;
pub const STANDPIPE: u32 = 1;

impl Tablet {
    pub fn new() -> Self {
        let tablet = Self::numbered(1);
        assert!(tablet.office.deliver(tablet.engine.store()).unwrap());
        tablet
    }

    /// A tablet of this number, enrolled, before its first pull.
    pub fn numbered(number: u8) -> Self {
        let folder = TempDir::new().unwrap();
        let world = Arc::new(TestWorld::new(u64::from(number)));
        let engine = Engine::open(folder.path(), world.clone()).unwrap();
        engine.enrol(&identity(number)).unwrap();
        Self { engine, world, folder, office: Office::with_estate() }
    }

    /// Ends the app, and starts it again.
    pub fn restarted(self) -> Self {
        let Self { engine, world, folder, office } = self;
        drop(engine);
        let engine = Engine::open(folder.path(), world.clone()).unwrap();
        Self { engine, world, folder, office }
    }

    /// What is found after the power failed at this moment: the files as they are, and nobody closed them.
    pub fn after_power_failure(self) -> Self {
        let folder = TempDir::new().unwrap();
        copy(self.folder.path(), folder.path());
        let engine = Engine::open(folder.path(), self.world.clone()).unwrap();
        Self { engine, folder, world: self.world, office: self.office }
    }

    pub fn today(&self) -> Today {
        let line = SyncLine {
            state: SyncState::Waiting,
            records: 0,
            photos: 0,
            bytes: 0,
            lost: 0,
            held: None,
            surroundings: standpipe_domain::hold::Surroundings::default(),
            set_aside: 0,
            last_synced: None,
            trouble: None,
        };
        self.engine.today(line).unwrap()
    }

    /// Answers an item, by whoever sees what the screen shows there.
    pub fn answer(&self, n: u32, item: &str, answer: Answer) -> Result<CheckView, Error> {
        let seen = self.engine.check(check(n)).map(|view| view.seen(&format!("answer:{item}")));
        self.answer_over(seen.unwrap_or_default(), n, item, answer)
    }

    pub fn answer_over(
        &self,
        seen: Vec<Uuid>,
        n: u32,
        item: &str,
        answer: Answer,
    ) -> Result<CheckView, Error> {
        self.engine.answer(&NewAnswer { check: check(n), item: item.into(), answer, seen })
    }

    /// Says something of a finding, by whoever sees what the screen shows there.
    pub fn say(
        &self,
        n: u32,
        item: &str,
        severity: Option<Severity>,
        words: Option<&str>,
    ) -> Result<CheckView, Error> {
        let view = self.engine.check(check(n))?;
        let seen = [format!("severity:{item}"), format!("words:{item}")];
        let seen = seen.iter().flat_map(|field| view.seen(field)).collect();
        let words = words.map(str::to_owned);
        self.engine.finding(&NewFinding { check: check(n), item: item.into(), severity, words, seen })
    }

    /// Answers every item of every stop so that it passes.
    pub fn pass_everything(&self) {
        for stop in self.engine.round(ROUND).unwrap().stops {
            self.pass_all(stop.check);
        }
    }

    pub fn pass_all(&self, check: CheckId) {
        let list = self.engine.check(check).unwrap().checklist.unwrap();
        for item in &list.items {
            let answer = passing(item);
            let seen = self.engine.check(check).unwrap().seen(&format!("answer:{}", item.id));
            self.engine.answer(&NewAnswer { check, item: item.id.clone(), answer, seen }).unwrap();
        }
    }

    pub fn attach(&self, n: u32, item: &str, name: &str, bytes: &[u8]) -> Result<EvidenceView, Error> {
        self.bring_in(AttachTo::Item { check: check(n), item: item.into() }, name, bytes)
    }

    pub fn bring_in(&self, to: AttachTo, name: &str, bytes: &[u8]) -> Result<EvidenceView, Error> {
        let file = NewFile { name: name.into(), bytes: bytes.len() as u64, to };
        let upload = self.engine.attach_begin(file)?;
        for chunk in bytes.chunks(1 << 20) {
            self.engine.attach_chunk(&upload, chunk)?;
        }
        self.engine.attach_end(&upload)
    }

    /// Fails an item, and says everything that a finding asks for.
    pub fn find(&self, n: u32, item: &str, photo: &[u8]) {
        self.answer(n, item, failing()).unwrap();
        self.say(n, item, Some(Severity::Serious), Some("封条破损")).unwrap();
        self.attach(n, item, "photo.jpg", photo).unwrap();
    }

    /// Passes everything but one item, has it signed, and amends the finding's answer.
    pub fn sign_and_amend(&mut self) {
        self.pass_everything();
        let item = self.first_item(STANDPIPE);
        self.find(STANDPIPE, &item, &jpeg(51));
        self.engine.finish_previews();
        self.sign(OWNERS[0], Some("…")).unwrap();
        let reason = "看错了".into();
        let amendment =
            NewAmendment { check: check(STANDPIPE), item, answer: failing(), reason, severity: None };
        self.engine.amend(&amendment).unwrap();
    }

    pub fn sign(&self, unit: UnitId, objection: Option<&str>) -> Result<RoundView, Error> {
        let strokes = vec![vec![Point(1, 2, 0), Point(30, 40, 16), Point(50, 20, 32)]];
        let objection = objection.map(str::to_owned);
        let digest = self.engine.round(ROUND).unwrap().digest;
        self.engine.sign(NewSignOff {
            round: ROUND,
            unit,
            name: "业主代表".into(),
            objection,
            strokes,
            digest,
        })
    }

    /// The first item of a check's list.
    pub fn first_item(&self, n: u32) -> String {
        self.list(n).items[0].id.clone()
    }

    pub fn list(&self, n: u32) -> Checklist {
        self.engine.check(check(n)).unwrap().checklist.unwrap()
    }
}

pub fn answer(outcome: Outcome) -> Answer {
    Answer { outcome, reading: None, choice: None, note: String::new(), at: Millis(1_688_173_200_000) }
}

pub fn failing() -> Answer {
    answer(Outcome::Fail)
}

/// An answer that passes an item, of whatever kind it is.
pub fn passing(item: &Item) -> Answer {
    let pass = answer(Outcome::Pass);
    match &item.answer {
        AnswerKind::PassFail => pass,
        AnswerKind::Text => Answer { note: "A-1024".into(), ..pass },
        AnswerKind::Choice { options } => Answer { choice: Some(options[0].id.clone()), ..pass },
        AnswerKind::Reading { unit, limit: Limit { min, max } } => {
            let value = min.or(*max).unwrap_or(1.0);
            Answer { reading: Some(Reading { value, unit: *unit }), ..pass }
        }
    }
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// A small JPEG, different for each `seed`.
pub fn jpeg(seed: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels: Vec<u8> = (0..32 * 24 * 3).map(|n: u32| n.to_le_bytes()[0].wrapping_mul(seed)).collect();
    jpeg_encoder::Encoder::new(&mut bytes, 80).encode(&pixels, 32, 24, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}
