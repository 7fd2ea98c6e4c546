//! What the suite's stories are told with: a world that stands still, and tablets.

use crate::demo;
use crate::ingest::{Pushed, Room, push};
use crate::office::{Hand, change, write};
use crate::store::{Device, Enrolment, Ledger, NewDevice, Page, Store};
use crate::world::World;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use standpipe_domain::answer::{Answer, Outcome};
use standpipe_domain::evidence::Evidence;
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{CheckId, DeviceId, FindingId, Millis, RoundId, Sha256};
use standpipe_domain::record::{Finding, entity, fields, finding_id, issue_id, set};
use standpipe_oplog::chain::{START, Written, sha256};
use standpipe_oplog::op::Op;
use standpipe_oplog::pen::{Draft, Moment, Pen};
use standpipe_oplog::seal::jwk;
use standpipe_oplog::wire::{MAX_BODY, PushAnswer, PushConflict, PushHead, Refused, encode_push};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use uuid::Uuid;

/// 2023-07-01, nine in the morning at the estate.
pub(crate) const MORNING: Millis = Millis(1_688_173_200_000);

/// A world in which time passes when told to, and nothing is random.
pub(crate) struct StillWorld {
    now: AtomicI64,
    next: AtomicU64,
}

impl StillWorld {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(MORNING.0), next: AtomicU64::new(1) })
    }

    pub(crate) fn wait(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::Relaxed);
    }
}

impl World for StillWorld {
    fn now(&self) -> Millis {
        Millis(self.now.load(Ordering::Relaxed))
    }

    fn uuid(&self) -> Uuid {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0000 | u128::from(next))
    }

    fn random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let seed = sha256(&self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            chunk.copy_from_slice(&seed.0[..chunk.len()]);
        }
    }
}

/// The garden, its world, and the inspector's tablet.
pub(crate) async fn garden(store: &dyn Store) -> (Arc<StillWorld>, Tablet) {
    let world = StillWorld::new();
    assert!(demo::estate(store, world.clone()).await.unwrap());
    let tablet = Tablet::enrol(store, &world, "inspector").await;
    (world, tablet)
}

/// The office gives somebody these roles, and no others.
pub(crate) async fn give_roles(
    store: &dyn Store,
    world: &Arc<StillWorld>,
    account: &str,
    roles: serde_json::Value,
) {
    let (world, person) = (Arc::clone(world), demo::person(account));
    let give = move |ledger: &mut dyn Ledger| {
        let hand = Hand { scope: demo::site(), actor: demo::person("office"), now: world.now() };
        let draft = change(ledger, entity::PERSON, person.0, "roles", roles)?;
        write(ledger, &*world, hand, [draft])
    };
    store.transact(give).await.unwrap();
}

/// The office removes the issue that it opened for a finding.
pub(crate) async fn remove_issue(store: &dyn Store, world: &Arc<StillWorld>, finding: FindingId) {
    let (world, id) = (Arc::clone(world), issue_id(finding).0);
    let remove = move |ledger: &mut dyn Ledger| {
        let hand = Hand { scope: demo::site(), actor: demo::person("office"), now: world.now() };
        let ops = ledger.ops_of(id)?;
        let draft = Draft::delete(entity::ISSUE, id, ops.iter().map(|op| op.op_id));
        write(ledger, &*world, hand, [draft])
    };
    store.transact(remove).await.unwrap();
}

pub(crate) fn round() -> RoundId {
    RoundId(demo::id("round", "2023-07-01"))
}

/// The check of the asset with this tag.
pub(crate) fn check(tag: &str) -> CheckId {
    CheckId(demo::id("check", &format!("2023-07-01:{tag}")))
}

pub(crate) fn answer(outcome: Outcome) -> Answer {
    Answer { outcome, reading: None, choice: None, note: String::new(), at: MORNING }
}

/// The answer to an item of a check, over the answer that `base` wrote.
pub(crate) fn answers(check: CheckId, item: &str, outcome: Outcome, base: Option<Uuid>) -> Draft {
    Draft::set(entity::CHECK, check.0, format!("answer:{item}"), json!(answer(outcome)), base)
}

pub(crate) fn finding(check: CheckId, item: &str, words: &str) -> (FindingId, Draft) {
    let id = finding_id(check, item);
    let severity = Some(Severity::Serious);
    let finding = Finding { id, check, item: item.into(), severity, words: words.into() };
    (id, Draft::record(entity::FINDING, id.0, fields(&finding)))
}

pub(crate) fn photo(entity: &'static str, id: Uuid, bytes: &[u8]) -> (Sha256, Draft) {
    let sha256 = sha256(bytes);
    let evidence = Evidence {
        sha256,
        media_type: "image/jpeg".into(),
        bytes: bytes.len() as u64,
        name: "现场.jpg".into(),
        item: None,
        at: MORNING,
    };
    (sha256, Draft::add(entity, id, set::PHOTOS, json!(evidence)))
}

/// Every operation of the garden.
pub(crate) async fn log(store: &dyn Store) -> Page {
    store.page(demo::site(), 0, 100_000, MAX_BODY).await.unwrap()
}

/// The operations of the log, read.
pub(crate) async fn ops(store: &dyn Store) -> Vec<Op> {
    log(store).await.ops.iter().map(|op| serde_json::from_str(&op.body).unwrap()).collect()
}

/// A tablet with its chain.
pub(crate) struct Tablet {
    pub device: Device,
    pub key: SigningKey,
    pub pen: Pen,
    pub world: Arc<StillWorld>,
    /// Every operation of this incarnation, from the first.
    pub written: Vec<Written>,
    pub acknowledged: usize,
}

impl Tablet {
    pub(crate) async fn enrol(store: &dyn Store, world: &Arc<StillWorld>, account: &str) -> Self {
        let mut seed = [0; 32];
        world.random(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        let (code, token) = (sha256(&seed[..8]), sha256(&seed[8..]));
        let name = format!("{account}'s tablet");
        let expires = Millis(world.now().0 + 1_000);
        store.offer(Enrolment { code, name, person: demo::person(account), expires }).await.unwrap();
        let new = NewDevice {
            id: DeviceId(world.uuid()),
            key: jwk(&key.verifying_key()),
            token,
            version: "1".into(),
        };
        let device = store.enrol(code, new, world.now()).await.unwrap().unwrap();
        let pen = Pen::new(device.id, device.site);
        Self { device, key, pen, world: world.clone(), written: Vec::new(), acknowledged: 0 }
    }

    /// Writes one transaction. Gives the operations' ids.
    pub(crate) fn write(&mut self, drafts: impl IntoIterator<Item = Draft>) -> Vec<Uuid> {
        let tx = self.world.uuid();
        drafts.into_iter().map(|draft| self.forge(draft, tx, |_| ())).collect()
    }

    /// Writes one operation that `bend` has changed.
    pub(crate) fn forge(&mut self, draft: Draft, tx: Uuid, bend: impl FnOnce(&mut Op)) -> Uuid {
        let prev = self.pen.last_hash;
        let moment = Moment { now: self.world.now(), actor: self.device.person, tx };
        let mut op = self.pen.write(draft, self.world.uuid(), moment).unwrap().op;
        bend(&mut op);
        let written = Written::new(&op, prev).unwrap();
        self.pen.last_hash = written.hash;
        let id = written.op.op_id;
        self.written.push(written);
        id
    }

    /// Writes a line that is no operation.
    pub(crate) fn scribble(&mut self, line: &str) {
        let prev = self.pen.last_hash;
        let hash = standpipe_oplog::chain::link(prev, line);
        self.pen.last_seq += 1;
        self.pen.last_hash = hash;
        let op = self.written[0].op.clone();
        self.written.push(Written { op, body: line.into(), hash });
    }

    /// Pushes what lies in `from..to` of the chain.
    pub(crate) async fn push_part(&self, store: &dyn Store, from: usize, to: usize) -> Pushed {
        let prev_hash = from.checked_sub(1).map_or(START, |at| self.written[at].hash);
        let incarnation = self.pen.incarnation;
        let head = PushHead { protocol: 1, incarnation, after: from as u64, prev_hash };
        let body = encode_push(&head, self.written[from..to].iter().map(|written| &*written.body)).unwrap();
        push(store, self.world.clone(), &self.device, &body, Room::default()).await.unwrap()
    }

    /// Pushes what was not acknowledged. Gives the whole answer.
    pub(crate) async fn answer(&mut self, store: &dyn Store) -> PushAnswer {
        match self.push_part(store, self.acknowledged, self.written.len()).await {
            Pushed::Taken(answer) => {
                assert_eq!(answer.acknowledged, self.written.len() as u64);
                self.acknowledged = self.written.len();
                answer
            }
            Pushed::Conflict(conflict) => panic!("{conflict:?}"),
        }
    }

    /// Pushes what was not acknowledged, and gives what was set aside.
    pub(crate) async fn push(&mut self, store: &dyn Store) -> Vec<Refused> {
        self.answer(store).await.quarantined
    }

    /// Writes one transaction and pushes it: nothing of it is set aside.
    pub(crate) async fn record(
        &mut self,
        store: &dyn Store,
        drafts: impl IntoIterator<Item = Draft>,
    ) -> Vec<Uuid> {
        let ids = self.write(drafts);
        assert_eq!(self.push(store).await, []);
        ids
    }

    /// Writes one transaction and pushes it: all of it is set aside. Gives the code.
    pub(crate) async fn refused(
        &mut self,
        store: &dyn Store,
        drafts: impl IntoIterator<Item = Draft>,
    ) -> String {
        let ids = self.write(drafts);
        let refused = self.push(store).await;
        assert_eq!(refused.iter().map(|refused| refused.op_id).collect::<Vec<_>>(), ids);
        refused[0].code.clone()
    }

    /// Hears what the hub has: what it writes next is later than all of it.
    pub(crate) async fn pull(&mut self, store: &dyn Store) {
        let latest = ops(store).await.iter().map(|op| op.hlc).max();
        self.pen.hlc = self.pen.hlc.max(latest.unwrap_or_default());
    }

    /// Goes on as another incarnation: what was not acknowledged is numbered from 1.
    pub(crate) fn renumber(&mut self, conflict: &PushConflict) {
        let PushConflict::Forked { incarnation } = conflict else { panic!("{conflict:?}") };
        let waiting = self.written.split_off(self.acknowledged);
        let device = self.device.id;
        self.pen = Pen { incarnation: *incarnation, ..Pen::new(device, self.device.site) };
        self.written.clear();
        self.acknowledged = 0;
        for (dev_seq, written) in (1..).zip(waiting) {
            let op = Op { incarnation: *incarnation, dev_seq, ..written.op };
            let written = Written::new(&op, self.pen.last_hash).unwrap();
            self.pen.last_seq = dev_seq;
            self.pen.last_hash = written.hash;
            self.written.push(written);
        }
    }
}

/// A value of JSON out of anything.
pub(crate) fn value(of: impl serde::Serialize) -> Value {
    json!(of)
}
