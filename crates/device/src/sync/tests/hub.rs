//! A small hub for tests: it keeps what it is given, writes down what it was asked, and misbehaves when told to.

mod blobs;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use futures::StreamExt;
use serde_json::{Value, json};
use standpipe_domain::ids::{Millis, Sha256};
use standpipe_oplog::chain::START;
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::greeting::Backups;
use standpipe_oplog::op::Op;
use standpipe_oplog::receive::{Held, Verdict, receive};
use standpipe_oplog::snapshot::{MEDIA_TYPE, framed};
use standpipe_oplog::wire::{
    Offer, OfferAnswer, PullHead, PushAnswer, Refused, ReturnAnswer, Sums, SumsAnswer, decode_push,
    decode_return, encode_pull,
};
use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, oneshot};
use uuid::Uuid;

/// How far the hub's clock is behind the tablet's, roughly, in milliseconds.
pub const BEHIND: i64 = 90_000;

type Answer = Box<dyn FnMut() -> Option<Response> + Send>;

#[derive(Clone)]
pub struct Hub {
    pub address: String,
    state: Arc<Mutex<Kept>>,
    pokes: broadcast::Sender<()>,
}

/// What the hub holds.
// Each is so, or not, by itself.
#[allow(clippy::struct_excessive_bools)]
pub struct Kept {
    pub log: Vec<String>,
    rules: Vec<(&'static str, Answer)>,
    pub epoch: Uuid,
    /// Which run of it answers.
    pub run: Uuid,
    /// Of each incarnation, the hashes of its operations.
    pub chains: HashMap<u32, Vec<Sha256>>,
    pub ops: Vec<(Uuid, String)>,
    pub quarantine: Option<&'static str>,
    /// What was set aside.
    pub aside: Vec<(Uuid, String)>,
    pub uploads: Vec<Upload>,
    pub verified: HashMap<Sha256, Vec<u8>>,
    pub thumbnails: HashMap<Sha256, Vec<u8>>,
    /// After so many bytes of a body, either way, the connection is cut.
    pub cut: Option<usize>,
    /// As `cut`, for a snapshot.
    pub cut_snapshot: Option<usize>,
    pub now: Millis,
    pub wrong_checksum: bool,
    /// What the hub says of these when they are given back: that it never took them.
    pub never_taken: Vec<Uuid>,
    pub revoked: bool,
    /// Up to where a backup holds this tablet's chain, or that of its clone.
    pub durable: u64,
    /// Which backups it has made.
    pub backups: Backups,
    /// Whether it says unasked how far a fresh upload is, and that one is verified, as a hub may and need not.
    pub tells: bool,
    /// How many pushes have arrived.
    pub pushes: usize,
    /// Of pushes by number: for what each waits before it is looked at, whom it tells when it has arrived, and when it is
    /// answered.
    pub waits: HashMap<usize, oneshot::Receiver<()>>,
    pub arrived: HashMap<usize, oneshot::Sender<()>>,
    pub answered: HashMap<usize, oneshot::Sender<()>>,
    /// Whether it takes bytes that come along with an announcement, as a hub may and need not.
    pub takes_along: bool,
}

impl Kept {
    /// Another hub by now, which knows nothing of what this one was given: restored from a backup, and saying so.
    pub fn restored(&mut self) {
        self.ops.clear();
        self.chains.clear();
        self.epoch = Uuid::from_u128(self.epoch.as_u128() + 1);
    }
}

pub struct Upload {
    pub sha256: Sha256,
    pub role: String,
    pub total: u64,
    pub bytes: Vec<u8>,
}

impl Hub {
    /// Starts a hub on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = Arc::new(Mutex::new(Kept {
            log: vec![],
            rules: vec![],
            epoch: Uuid::from_u128(7),
            run: Uuid::from_u128(6),
            chains: HashMap::new(),
            ops: vec![],
            quarantine: None,
            aside: vec![],
            uploads: vec![],
            verified: HashMap::new(),
            thumbnails: HashMap::new(),
            cut: None,
            cut_snapshot: None,
            now: Millis(1_688_173_200_000 - BEHIND),
            wrong_checksum: false,
            never_taken: vec![],
            revoked: false,
            durable: 0,
            backups: Backups::default(),
            tells: false,
            pushes: 0,
            waits: HashMap::new(),
            arrived: HashMap::new(),
            answered: HashMap::new(),
            takes_along: false,
        }));
        let address = format!("http://{}", listener.local_addr().unwrap());
        let hub = Self { address, state, pokes: broadcast::Sender::new(16) };
        let api = Router::new()
            .route("/sync/hello", post(hello))
            .route("/sync/push", post(push))
            .route("/sync/pull", get(pull))
            .route("/sync/snapshot", get(snapshot))
            .route("/sync/offer", post(offer))
            .route("/sync/sums", post(sums))
            .route("/sync/return", post(take_back))
            .route("/blobs", post(blobs::create))
            .route("/blobs/status", post(blobs::status))
            .route("/blobs/{upload}", patch(blobs::append).head(blobs::offset))
            .route("/blobs/{sha256}/thumb", get(blobs::thumbnail))
            .route("/blobs/{sha256}/original", get(blobs::original))
            .route("/events", get(events));
        let app = Router::new().nest("/api/v1", api).layer(from_fn_with_state(hub.clone(), script));
        let app = app.with_state(hub.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        hub
    }

    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap()
    }

    /// Answers each request that begins with `on` ("POST /sync/push") with what `answer` gives; where that is `None`,
    /// as a hub does. A later rule goes before an earlier one.
    pub fn rule(&self, on: &'static str, answer: impl FnMut() -> Option<Response> + Send + 'static) {
        self.kept().rules.insert(0, (on, Box::new(answer)));
    }

    /// Takes all rules back.
    pub fn behave(&self) {
        self.kept().rules.clear();
    }

    /// What was asked since the last look.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.kept().log)
    }

    /// What was asked since the last look, without greetings, pulls, snapshots and the event stream.
    pub fn sent(&self) -> Vec<String> {
        let up = |line: &String| {
            !["/sync/hello", "/sync/pull", "/sync/snapshot", "/events"].iter().any(|path| line.contains(path))
        };
        self.asked().into_iter().filter(up).collect()
    }

    /// Tells all listeners that something changed.
    pub fn poke(&self) {
        let _ = self.pokes.send(());
    }

    pub fn listeners(&self) -> usize {
        self.pokes.receiver_count()
    }
}

pub fn problem(status: u16, code: &str) -> Response {
    let body = json!({"code": code, "message": format!("said {code}"), "details": {}});
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

pub fn html(status: u16) -> Response {
    let page = axum::response::Html("<html><title>Sign in to the network</title></html>");
    (StatusCode::from_u16(status).unwrap(), page).into_response()
}

/// An answer that never comes: the connection ends.
pub fn silence() -> Response {
    [("hang-up", "")].into_response()
}

fn hang_up() -> ! {
    // Not a panic, which would fill the test's output.
    std::panic::resume_unwind(Box::new("hung up"))
}

async fn script(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let line = format!("{} {}", request.method(), path.trim_start_matches("/api/v1"));
    hub.kept().log.push(line.clone());
    let rules = std::mem::take(&mut hub.kept().rules);
    let (mut answer, mut kept) = (None, Vec::new());
    // Taken out meanwhile: an answer may look at the hub.
    for (on, mut rule) in rules {
        if answer.is_none() && line.starts_with(on) {
            answer = rule();
        }
        kept.push((on, rule));
    }
    hub.kept().rules.extend(kept);
    let answer = match answer {
        Some(answer) if answer.headers().contains_key("hang-up") => hang_up(),
        Some(answer) => answer,
        None => next.run(request).await,
    };
    ([("tus-resumable", "1.0.0")], answer).into_response()
}

async fn hello(State(hub): State<Hub>, axum::Json(body): axum::Json<Value>) -> axum::Json<Value> {
    let kept = hub.kept();
    let incarnation = u32::try_from(body["incarnation"].as_u64().unwrap()).unwrap();
    let acknowledged = kept.chains.get(&incarnation).map_or(0, Vec::len);
    axum::Json(json!({
        "protocol": 1, "hub_epoch": kept.epoch, "now": kept.now, "acknowledged": acknowledged,
        "durable_seq": kept.durable, "device": Uuid::nil(), "person": Uuid::nil(), "revoked": kept.revoked,
        "run": kept.run, "backups": kept.backups, "something": "of a later version",
    }))
}

async fn push(State(hub): State<Hub>, body: Bytes) -> Response {
    let (nth, turn) = {
        let mut kept = hub.kept();
        kept.pushes += 1;
        let nth = kept.pushes;
        kept.arrived.remove(&nth).map(|tell| tell.send(()));
        (nth, kept.waits.remove(&nth))
    };
    if let Some(turn) = turn {
        turn.await.unwrap();
    }
    let answer = take(&hub, &body);
    hub.kept().answered.remove(&nth).map(|tell| tell.send(()));
    answer
}

fn take(hub: &Hub, body: &[u8]) -> Response {
    let (head, ops) = decode_push(body).unwrap();
    let mut kept = hub.kept();
    let hashes: Vec<_> = ops.iter().map(|op| op.as_ref().unwrap().hash).collect();
    let next = kept.chains.keys().max().copied().unwrap_or(1) + 1;
    let chain = kept.chains.entry(head.incarnation).or_default();
    let held = Held { last_seq: chain.len() as u64, last_hash: chain.last().copied().unwrap_or(START) };
    let at = |seq: u64| Ok::<_, Infallible>(chain.get(usize::try_from(seq).unwrap() - 1).copied());
    let from = match receive(&head, &hashes, held, next, at).unwrap() {
        Verdict::Take { from } => from,
        Verdict::Conflict(conflict) => return (StatusCode::CONFLICT, axum::Json(conflict)).into_response(),
    };
    chain.extend(&hashes[from..]);
    let acknowledged = chain.len() as u64;
    let mut quarantined = vec![];
    for op in ops.into_iter().skip(from).map(Result::unwrap) {
        match kept.quarantine {
            _ if kept.ops.iter().any(|(id, _)| *id == op.op.op_id) => {}
            Some(code) => {
                let refused = Refused { op_id: op.op.op_id, code: code.into(), detail: String::new() };
                quarantined.push(refused);
                kept.aside.push((op.op.op_id, op.body.into()));
            }
            None => kept.ops.push((op.op.op_id, op.body.into())),
        }
    }
    axum::Json(PushAnswer { acknowledged, durable_seq: 0, quarantined }).into_response()
}

async fn offer(State(hub): State<Hub>, axum::Json(offer): axum::Json<Offer>) -> axum::Json<OfferAnswer> {
    let mut kept = hub.kept();
    let (mut quarantined, mut lost) = (vec![], vec![]);
    for op_id in offer.ops {
        let Some(at) = kept.aside.iter().position(|(id, _)| *id == op_id) else {
            if !kept.ops.iter().any(|(id, _)| *id == op_id) {
                lost.push(op_id);
            }
            continue;
        };
        if let Some(code) = kept.quarantine {
            quarantined.push(Refused { op_id, code: code.into(), detail: String::new() });
        } else {
            let taken = kept.aside.remove(at);
            kept.ops.push(taken);
        }
    }
    axum::Json(OfferAnswer { quarantined, lost })
}

async fn pull(State(hub): State<Hub>, Query(query): Query<HashMap<String, String>>) -> Response {
    let kept = hub.kept();
    let after: usize = query["after"].parse().unwrap();
    let after = if query["whole"] == "true" { kept.beginning(after) } else { after };
    ([(header::CONTENT_TYPE, "application/zstd")], kept.page(after).1).into_response()
}

impl Kept {
    /// Where the transaction begins whose next operation stands behind `after`.
    fn beginning(&self, after: usize) -> usize {
        let tx = |(_, body): &(Uuid, String)| serde_json::from_str::<Op>(body).unwrap().tx;
        let Some(next) = self.ops.get(after).map(tx) else { return after };
        after - self.ops[..after].iter().rev().take_while(|op| tx(op) == next).count()
    }

    /// The page behind `after`, and where it ends: two operations.
    fn page(&self, after: usize) -> (usize, Vec<u8>) {
        let end = self.ops.len().min(after + 2);
        let sum: Checksum = self.ops[..end].iter().map(|(id, body)| Checksum::of(*id, self.now, body)).sum();
        let sum = Checksum(sum.0 ^ u64::from(self.wrong_checksum));
        let head = PullHead {
            protocol: 1,
            hub_epoch: self.epoch,
            from: after as u64,
            next: end as u64,
            more: end < self.ops.len(),
            checksum: format!("{:016x}", sum.0),
            now: self.now,
        };
        let numbered = |(at, (_, body)): (usize, &'_ (Uuid, String))| (at as u64 + 1, body.clone());
        let page: Vec<_> = self.ops.iter().enumerate().take(end).skip(after).map(numbered).collect();
        let page = page.iter().map(|(seq, body)| (*seq, self.now, "a-mark", body.as_str()));
        (end, encode_pull(&head, page).unwrap())
    }

    /// The pages of a snapshot behind `after`.
    pub fn pages(&self, mut after: usize) -> Vec<Vec<u8>> {
        let mut pages = vec![];
        loop {
            let (next, page) = self.page(after);
            pages.push(framed(&page));
            if next == self.ops.len() {
                return pages;
            }
            after = next;
        }
    }
}

async fn snapshot(State(hub): State<Hub>, Query(query): Query<HashMap<String, String>>) -> Response {
    let mut kept = hub.kept();
    let answer = Bytes::from(kept.pages(query["after"].parse().unwrap()).concat());
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], cut_body(kept.cut_snapshot.take(), answer)).into_response()
}

/// A body, or what goes out of it before the connection is cut.
fn cut_body(cut: Option<usize>, whole: Bytes) -> Body {
    let parts = match cut {
        Some(cut) if cut < whole.len() => vec![Some(whole.slice(..cut)), None],
        _ => vec![Some(whole)],
    };
    Body::from_stream(futures::stream::iter(parts).then(|part| async move {
        // The part before the cut goes out first.
        tokio::task::yield_now().await;
        part.ok_or_else(|| io::Error::other("cut"))
    }))
}

async fn sums(State(hub): State<Hub>, axum::Json(asked): axum::Json<Sums>) -> axum::Json<SumsAnswer> {
    let kept = hub.kept();
    let upto = |at: &u64| {
        let ops = kept.ops.iter().take(usize::try_from(*at).unwrap());
        format!("{:016x}", ops.map(|(id, body)| Checksum::of(*id, kept.now, body)).sum::<Checksum>().0)
    };
    let sums = asked.at.iter().map(upto).collect();
    axum::Json(SumsAnswer { hub_epoch: kept.epoch, head: kept.ops.len() as u64, sums })
}

async fn take_back(State(hub): State<Hub>, body: Bytes) -> axum::Json<ReturnAnswer> {
    let mut kept = hub.kept();
    let mut answer = ReturnAnswer::default();
    for one in decode_return(&body).unwrap().1 {
        assert_eq!(&*one.receipt, "a-mark");
        let op: standpipe_oplog::op::Op = serde_json::from_str(&one.body).unwrap();
        if kept.never_taken.contains(&op.op_id) {
            answer.refused.push(op.op_id);
        } else if kept.ops.iter().all(|(id, _)| *id != op.op_id) {
            kept.ops.push((op.op_id, one.body.into()));
            answer.taken += 1;
        }
    }
    axum::Json(answer)
}

async fn events(State(hub): State<Hub>) -> Response {
    let pokes = hub.pokes.subscribe();
    // In two parts, as a network may cut it.
    let stream = futures::stream::unfold(pokes, |mut pokes| async move {
        pokes.recv().await.ok()?;
        let parts = ["event: chan", "ged\r\ndata: {}\n\n"].map(|part| Ok::<_, Infallible>(Bytes::from(part)));
        Some((futures::stream::iter(parts), pokes))
    });
    let alive = futures::stream::iter([Ok(Bytes::from(": alive\n\n"))]);
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(alive.chain(stream.flatten())))
        .into_response()
}
