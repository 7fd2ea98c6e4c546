//! Somebody who works at a tablet, out of a seed, through the commands of its screens.

use anyhow::{Context, Result};
use fastrand::Rng;
use jpeg_encoder::{ColorType, Encoder};
use standpipe_device::engine::Engine;
use standpipe_device::error::Error;
use standpipe_domain::answer::{Answer, Outcome, Reading};
use standpipe_domain::checklist::{AnswerKind, Item};
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{CheckId, RoundId, Sha256};
use standpipe_domain::issue::{Step, StepRequest};
use standpipe_domain::signoff::{NewSignOff, Point};
use standpipe_domain::sync::{SyncLine, SyncState};
use standpipe_domain::tablet::{AttachTo, CheckView, NewAmendment, NewAnswer, NewFile, NewFinding};
use standpipe_oplog::chain::sha256;

/// Photos that were said to be saved, with their bytes.
pub type Photos = Vec<(Sha256, u64)>;

/// One inspector at one tablet.
pub struct Inspector<'e> {
    engine: &'e Engine,
    dice: Rng,
    round: RoundId,
    stops: Vec<CheckId>,
    /// Whether the owners are there to sign: what was signed takes amendments only.
    signs: bool,
}

impl<'e> Inspector<'e> {
    /// Takes up the first round; `None` until a pull has brought one.
    pub fn at(engine: &'e Engine, seed: u64, signs: bool) -> Result<Option<Self>> {
        let Some(round) = engine.today(nothing())?.rounds.first().map(|round| round.id) else {
            return Ok(None);
        };
        let stops = engine.round(round)?.stops.iter().map(|stop| stop.check).collect();
        Ok(Some(Self { engine, dice: Rng::with_seed(seed), round, stops, signs }))
    }

    /// Does one thing. What a screen refuses is no fault, and records nothing.
    ///
    /// # Errors
    /// What no screen should meet on a sound disk.
    pub fn act(&mut self) -> Result<Photos> {
        let mut photos = Photos::new();
        let signs = self.signs && self.dice.u8(..6) == 0;
        let done = match self.dice.u8(..100) {
            _ if signs => self.sign(&mut photos),
            0..=39 => self.answer(),
            40..=49 => self.say(),
            50..=72 => self.photo().map(|photo| photos.extend(photo)),
            73..=77 => self.take_off(),
            78..=83 => self.choose(),
            84..=90 => self.step(&mut photos),
            91..=95 => self.amend(),
            _ => self.draft(),
        };
        match done {
            Err(error @ (Error::Store(_) | Error::Vault(_) | Error::InUse)) => {
                Err(error).context("a tablet refuses on a sound disk")
            }
            // What was attached before a later part was refused is saved all the same.
            _ => Ok(photos),
        }
    }

    /// A pause as people make them, in milliseconds.
    pub fn pause(&mut self) -> u64 {
        self.dice.u64(..60)
    }

    /// A stop; mostly one of a few, so that people meet.
    fn stop(&mut self) -> CheckId {
        let few = self.stops.len().min(4);
        let among = if self.dice.u8(..10) < 7 { few } else { self.stops.len() };
        self.stops[self.dice.usize(..among)]
    }

    fn item(&mut self) -> Result<(CheckId, Item), Error> {
        let check = self.stop();
        let items = self.engine.check(check)?.checklist.map(|list| list.items).unwrap_or_default();
        let item = self.dice.choice(items).ok_or(Error::UnknownChecklist)?;
        Ok((check, item))
    }

    /// An answer of the kind that the item asks for.
    fn given(&mut self, item: &Item, fails: bool) -> Answer {
        let outcome = if fails { Outcome::Fail } else { Outcome::Pass };
        let at = self.engine.store().world().now();
        let mut answer = Answer { outcome, reading: None, choice: None, note: String::new(), at };
        match &item.answer {
            AnswerKind::Reading { unit, limit } => {
                let inside = limit.min.or(limit.max).unwrap_or(1.0);
                let value = if fails { inside - 0.5 } else { inside };
                answer.reading = Some(Reading { value, unit: *unit });
            }
            AnswerKind::Choice { options } => answer.choice = options.first().map(|one| one.id.clone()),
            AnswerKind::Text => answer.note = format!("{:06}", self.dice.u32(..1_000_000)),
            AnswerKind::PassFail => {}
        }
        answer
    }

    fn answer(&mut self) -> Result<(), Error> {
        let (check, item) = self.item()?;
        let fails = self.dice.u8(..10) < 4;
        let answer = self.given(&item, fails);
        let seen = self.engine.check(check)?.seen(&format!("answer:{}", item.id));
        self.engine.answer(&NewAnswer { check, item: item.id, answer, seen }).map(drop)
    }

    fn say(&mut self) -> Result<(), Error> {
        let view = self.engine.check(self.stop())?;
        let failed = view.answers.iter().filter(|(_, answer)| answer.outcome == Outcome::Fail);
        let Some((item, _)) = self.dice.choice(failed.collect::<Vec<_>>()) else { return Ok(()) };
        let words = format!("rust {}", self.dice.u8(..));
        let severity = self.dice.choice([Severity::Minor, Severity::Serious]);
        self.tell(&view, item, severity, words)
    }

    /// Says something of a finding, by whoever sees this.
    fn tell(
        &self,
        view: &CheckView,
        item: &str,
        severity: Option<Severity>,
        words: String,
    ) -> Result<(), Error> {
        let seen = [format!("severity:{item}"), format!("words:{item}")];
        let seen = seen.iter().flat_map(|field| view.seen(field)).collect();
        let (item, words) = (item.to_owned(), Some(words));
        self.engine.finding(&NewFinding { check: view.id, item, severity, words, seen }).map(drop)
    }

    fn photo(&mut self) -> Result<Option<(Sha256, u64)>, Error> {
        let (check, item) = self.item()?;
        // A few are taken on more than one tablet.
        let number = if self.dice.u8(..10) == 0 { self.dice.u64(..20) } else { self.dice.u64(..) };
        self.attach(&picture(number), AttachTo::Item { check, item: item.id }).map(Some)
    }

    fn attach(&self, bytes: &[u8], to: AttachTo) -> Result<(Sha256, u64), Error> {
        let file = NewFile { name: "photo.jpg".into(), bytes: bytes.len() as u64, to };
        let upload = self.engine.attach_begin(file)?;
        for chunk in bytes.chunks(64 * 1024) {
            self.engine.attach_chunk(&upload, chunk)?;
        }
        self.engine.attach_end(&upload)?;
        Ok((sha256(bytes), bytes.len() as u64))
    }

    fn take_off(&mut self) -> Result<(), Error> {
        let view = self.engine.check(self.stop())?;
        let of_findings = view.findings.into_iter().flat_map(|finding| finding.photos);
        let photos: Vec<_> = view.photos.into_iter().chain(of_findings).collect();
        let Some(photo) = self.dice.choice(photos) else { return Ok(()) };
        let item = photo.evidence.item.unwrap_or_default();
        self.engine.detach(view.id, &item, photo.evidence.sha256).map(drop)
    }

    fn choose(&mut self) -> Result<(), Error> {
        let check = self.stop();
        self.settle(check).map(drop)
    }

    /// Settles one conflict of a check; gives whether there was one.
    fn settle(&self, check: CheckId) -> Result<bool, Error> {
        let view = self.engine.check(check)?;
        let Some(conflict) = view.conflicts.first() else { return Ok(false) };
        let Some(side) = conflict.sides.last() else { return Ok(false) };
        self.engine.resolve(check, &conflict.field, &side.rev, &conflict.revs()).map(|_| true)
    }

    fn step(&mut self, photos: &mut Photos) -> Result<(), Error> {
        let Some(issue) = self.dice.choice(self.engine.issues()?) else { return Ok(()) };
        let view = self.engine.issue(issue.id)?;
        let Some(step) = self.dice.choice(&view.next_steps).copied() else { return Ok(()) };
        if step == Step::Verify {
            let bytes = picture(self.dice.u64(..));
            photos.push(self.attach(&bytes, AttachTo::Issue { issue: issue.id })?);
        }
        let request =
            StepRequest { words: "looked at it".into(), seen: view.seen(), ..StepRequest::bare(step) };
        self.engine.issue_step(issue.id, &request).map(drop)
    }

    fn amend(&mut self) -> Result<(), Error> {
        let (check, item) = self.item()?;
        let fails = self.dice.bool();
        let (answer, reason) = (self.given(&item, fails), "looked again".into());
        let severity = Some(Severity::Minor);
        self.engine.amend(&NewAmendment { check, item: item.id, answer, reason, severity }).map(drop)
    }

    fn draft(&mut self) -> Result<(), Error> {
        let text = format!("half a sentence {}", self.dice.u8(..));
        self.engine.keep_draft("words", &text)
    }

    /// Does what is left, and lets one unit sign.
    fn sign(&mut self, photos: &mut Photos) -> Result<(), Error> {
        for check in self.stops.clone() {
            if self.engine.check(check)?.sealed.is_some() {
                continue;
            }
            while self.settle(check)? {}
            let view = self.engine.check(check)?;
            for item in view.checklist.iter().flat_map(|list| &list.items) {
                if !view.answers.contains_key(&item.id) {
                    let answer = self.given(item, false);
                    let answer =
                        Answer { outcome: Outcome::NotApplicable, reading: None, choice: None, ..answer };
                    let seen = Vec::new();
                    self.engine.answer(&NewAnswer { check, item: item.id.clone(), answer, seen })?;
                }
            }
            let failed = view.answers.iter().filter(|(_, answer)| answer.outcome == Outcome::Fail);
            for (item, _) in failed {
                self.tell(&view, item, Some(Severity::Minor), "worn".into())?;
                let bytes = picture(self.dice.u64(..));
                photos.push(self.attach(&bytes, AttachTo::Item { check, item: item.clone() })?);
            }
        }
        let round = self.engine.round(self.round)?;
        let Some(place) = round.sign_offs.iter().find(|place| place.signed.is_none()) else { return Ok(()) };
        let new = NewSignOff {
            round: self.round,
            unit: place.unit,
            name: "一期代表甲".into(),
            objection: None,
            strokes: vec![vec![Point(0, 0, 0), Point(10, 10, 5), Point(20, 5, 9)]],
            digest: round.digest,
        };
        self.engine.sign(new).map(drop)
    }
}

/// A line for those who do not look at it.
pub fn nothing() -> SyncLine {
    SyncLine {
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
    }
}

/// The bytes of a photo: of some KB, up to some hundred. The same number gives the same.
pub fn picture(number: u64) -> Vec<u8> {
    let mut dice = Rng::with_seed(number);
    let length = match dice.u8(..10) {
        0 => dice.usize(100_000..400_000),
        1..=3 => dice.usize(20_000..100_000),
        _ => dice.usize(2_000..20_000),
    };
    let mut bytes = Vec::new();
    let mut pixels = [0; 48 * 48 * 3];
    dice.fill(&mut pixels);
    // Half of them are pictures. What stands behind a picture's end belongs to the file, and not to the picture.
    if dice.bool() {
        let encoder = Encoder::new(&mut bytes, 80);
        encoder.encode(&pixels, 48, 48, ColorType::Rgb).unwrap_or_else(|error| panic!("{error}"));
    }
    let begun = bytes.len();
    bytes.resize(length.max(begun + 1), 0);
    dice.fill(&mut bytes[begun..]);
    bytes
}
