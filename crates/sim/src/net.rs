//! The network between the tablets, the hub and the tracker outside: it loses, doubles, delays and cuts what it carries.

use crate::dice::Dice;
use crate::effects::{Effect, happens};
use crate::time::Owner;
use crate::world::{pause_of, time};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::response::Response;
use bytes::Bytes;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use http::header::CONTENT_LENGTH;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use standpipe_device::sync::{Broken, Connect, Reply, Wire};
use standpipe_oplog::PROTOCOL;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tower::ServiceExt;

/// Whose power never fails: what is on its way, and other people's servers.
const ELSEWHERE: Owner = Owner { machine: u32::MAX, life: 0 };
/// A tablet that asks the same more often than so in a minute asks for ever: nobody gains by it, and the others wait.
const SAME_IN_A_MINUTE: u32 = 40;
/// A body comes in such parts.
const PART: usize = 32 * 1024;

/// How a tablet's link behaves. Chances are of 1,000 requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub is_up: bool,
    pub lost: u64,
    pub unanswered: u64,
    pub cut: u64,
    pub doubled: u64,
    pub late: u64,
}

impl Link {
    pub const GOOD: Self = Self { is_up: true, lost: 0, unanswered: 0, cut: 0, doubled: 0, late: 0 };
    pub const NONE: Self = Self { is_up: false, ..Self::GOOD };
    pub const BAD: Self = Self { is_up: true, lost: 100, unanswered: 120, cut: 150, doubled: 60, late: 60 };
}

/// Where a request goes, and by whose link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// To the hub, from this tablet.
    Hub(usize),
    /// To the tracker outside, from the hub.
    Tracker,
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Whole,
    /// Never arrives. Whoever sent it is told, or finds out by itself.
    Lost {
        silent: bool,
    },
    /// So many bytes of its body arrive; then the hub hears of the end, or nothing any more.
    Cut {
        at: usize,
        silent: bool,
    },
    /// Arrives; the answer does not.
    Unanswered {
        silent: bool,
    },
    /// So many bytes of the answer arrive.
    AnswerCut {
        at: usize,
    },
    /// Arrives once more, after so long.
    Doubled {
        after: Duration,
    },
    /// Whoever sent it has given up when it arrives.
    Late {
        after: Duration,
    },
}

#[derive(Clone)]
pub struct Net(Arc<Mutex<State>>);

struct State {
    dice: Dice,
    /// Of the tracker's link: what becomes of tablets' requests does not hang on it.
    outside: Dice,
    hub: Option<(Owner, Router)>,
    tracker: Router,
    links: BTreeMap<Target, Link>,
    /// Tablets whose apps speak an older version of the protocol.
    older: BTreeSet<usize>,
    /// Those whom the hub told so when they fetched, and that have not greeted it since.
    told_older: BTreeSet<usize>,
    /// How often each tablet has asked each thing in the minute that runs.
    asked: Asked,
    trace: Vec<String>,
}

#[derive(Default)]
struct Asked {
    minute: u64,
    counts: HashMap<(usize, Bytes), u32>,
    too_often: Option<String>,
}

impl Asked {
    fn count(&mut self, tablet: usize, what: &str, body: &Bytes, now: Duration) {
        let minute = now.as_secs() / 60;
        if self.minute != minute {
            self.minute = minute;
            self.counts.clear();
        }
        let request = [what.as_bytes(), body].concat().into();
        let count = self.counts.entry((tablet, request)).or_default();
        *count += 1;
        if *count > SAME_IN_A_MINUTE {
            self.too_often = Some(format!("tablet {tablet} asks {what} {count} times in a minute"));
        }
    }
}

impl Net {
    /// A network with this tracker outside.
    pub fn new(seed: u64, tracker: Router) -> Self {
        let dice = Dice::apart(seed, "network");
        let outside = Dice::apart(seed, "network outside");
        let (links, older, told_older, asked, trace) = Default::default();
        let state = State { dice, outside, hub: None, tracker, links, older, told_older, asked, trace };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who answers, from now on.
    pub fn set_hub(&self, hub: Option<(Owner, Router)>) {
        let before = std::mem::replace(&mut self.state().hub, hub);
        // Dropped with the network let go of: what hangs on the old hub may ask for it.
        drop(before);
    }

    pub fn set_link(&self, target: Target, link: Link) {
        self.state().links.insert(target, link);
    }

    pub fn link(&self, target: Target) -> Link {
        self.state().link(target)
    }

    /// A tablet's app speaks an older version of the protocol than the hub, or the same.
    pub fn set_older(&self, tablet: usize, is_older: bool) {
        let mut state = self.state();
        state.told_older.remove(&tablet);
        if is_older {
            state.older.insert(tablet)
        } else {
            state.older.remove(&tablet)
        };
    }

    /// A tablet's app starts, and knows nothing yet of what it was told.
    pub fn starts(&self, tablet: usize) {
        self.state().told_older.remove(&tablet);
    }

    pub fn is_older(&self, tablet: usize) -> bool {
        self.state().older.contains(&tablet)
    }

    /// Whether the hub told a tablet that its app is too old, when it last fetched, and it has not greeted the hub since.
    pub fn was_told_older(&self, tablet: usize) -> bool {
        self.state().told_older.contains(&tablet)
    }

    /// Of a tablet that asks the same again and again.
    pub fn asked_too_often(&self) -> Option<String> {
        self.state().asked.too_often.clone()
    }

    pub fn take_trace(&self) -> Vec<String> {
        std::mem::take(&mut self.state().trace)
    }

    /// Who answers there now: a machine, between two starts of it.
    fn answers(&self, target: Target) -> Option<Owner> {
        self.state().answers(target).map(|(owner, _)| owner)
    }

    /// What carries the requests of a tablet.
    pub fn wire(&self, tablet: usize) -> Connect {
        let net = self.clone();
        Arc::new(move |_| Ok(Arc::new(SimWire { net: net.clone(), tablet }) as Arc<dyn Wire>))
    }
}

impl State {
    fn link(&self, target: Target) -> Link {
        self.links.get(&target).copied().unwrap_or(Link::GOOD)
    }

    fn answers(&self, target: Target) -> Option<(Owner, Router)> {
        match target {
            Target::Hub(_) => self.hub.clone(),
            Target::Tracker => Some((ELSEWHERE, self.tracker.clone())),
        }
    }

    fn dice(&mut self, target: Target) -> &mut Dice {
        match target {
            Target::Hub(_) => &mut self.dice,
            Target::Tracker => &mut self.outside,
        }
    }

    fn fate(&mut self, target: Target, bytes: usize, is_stream: bool) -> (Fate, Duration) {
        let link = self.link(target);
        let dice = self.dice(target);
        let pause = Duration::from_millis(dice.within(3..120));
        if !link.is_up {
            return (Fate::Lost { silent: false }, pause);
        }
        let mut left = dice.below(1_000);
        let mut falls = |chance: u64| {
            let is = left < chance;
            left = left.saturating_sub(chance);
            is
        };
        let (lost, unanswered, cut) = (falls(link.lost), falls(link.unanswered), falls(link.cut));
        let (doubled, late) = (falls(link.doubled), falls(link.late));
        let fate = if lost {
            Fate::Lost { silent: dice.chance(400) }
        } else if unanswered {
            Fate::Unanswered { silent: dice.chance(400) }
        } else if cut && (bytes == 0 || dice.chance(300)) {
            let most = if is_stream { 4_096 } else { 2_048 };
            Fate::AnswerCut { at: dice.index(most) }
        } else if cut {
            Fate::Cut { at: dice.index(bytes + 1), silent: dice.chance(400) }
        } else if doubled && !is_stream {
            Fate::Doubled { after: Duration::from_millis(dice.within(1..90_000)) }
        } else if late && !is_stream {
            Fate::Late { after: Duration::from_millis(dice.within(1_000..300_000)) }
        } else {
            Fate::Whole
        };
        (fate, pause)
    }
}

struct SimWire {
    net: Net,
    tablet: usize,
}

impl Wire for SimWire {
    fn send(
        &self,
        request: Request<Bytes>,
        moved: Arc<AtomicU64>,
    ) -> BoxFuture<'static, Result<Reply, Broken>> {
        let (net, tablet) = (self.net.clone(), self.tablet);
        Box::pin(async move { net.carry(Target::Hub(tablet), request, &moved).await })
    }
}

impl Net {
    pub async fn carry(
        &self,
        target: Target,
        request: Request<Bytes>,
        moved: &AtomicU64,
    ) -> Result<Reply, Broken> {
        let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        let mut request = request;
        if let Target::Hub(tablet) = target {
            let mut state = self.state();
            let what = format!("{} {path}", request.method());
            state.asked.count(tablet, &what, request.body(), time().now());
            if state.older.contains(&tablet) {
                request = as_older(request);
            }
            // Whoever greets begins a turn.
            if path.ends_with("/hello") {
                state.told_older.remove(&tablet);
            }
        }
        let bytes = request.body().len();
        let is_stream = path.contains("/events");
        let (fate, pause) = self.state().fate(target, bytes, is_stream);
        let line = format!("{:?} {target:?} {} {path} {bytes} {fate:?}", time().now(), request.method());
        self.state().trace.push(line);
        pause_of(pause).await;
        let request = || request.clone();
        match fate {
            Fate::Lost { silent } => return nothing("lost", silent).await,
            Fate::Late { after } => {
                self.later(target, request(), after);
                return Err(Broken("late".into()));
            }
            Fate::Cut { at, silent } => {
                moved.fetch_add(at as u64, Relaxed);
                let answer = self.deliver(target, request(), Some((at, silent)));
                let told = nothing("cut", silent).await;
                drop(answer);
                return told;
            }
            Fate::Doubled { after } => self.later(target, request(), after),
            Fate::Whole | Fate::Unanswered { .. } | Fate::AnswerCut { .. } => {}
        }
        let before = self.answers(target);
        let answer = self.deliver(target, request(), None).ok_or_else(|| Broken("refused".into()))?;
        moved.fetch_add(bytes as u64, Relaxed);
        let answer = answer.await.map_err(|_| Broken("reset".into()))?;
        let back = Duration::from_millis(self.state().dice(target).within(1..60));
        pause_of(back).await;
        if let Fate::Unanswered { silent } = fate {
            return nothing("no answer", silent).await;
        }
        if self.answers(target) != before || !self.link(target).is_up {
            return Err(Broken("no answer".into()));
        }
        let left = if let Fate::AnswerCut { at } = fate { Some(at) } else { None };
        if let (Target::Hub(tablet), None, StatusCode::UPGRADE_REQUIRED) = (target, left, answer.status()) {
            happens(Effect::AppTooOld);
            if !path.ends_with("/enrol") {
                self.state().told_older.insert(tablet);
            }
        }
        let (head, body) = answer.into_parts();
        let coming =
            Coming { net: self.clone(), target, from: before, body: body.into_data_stream().boxed(), left };
        let body = stream::unfold(Some(coming), |coming| async move { coming?.next().await }).boxed();
        Ok(Reply { status: head.status, headers: head.headers, body })
    }

    fn later(&self, target: Target, request: Request<Bytes>, after: Duration) {
        let net = self.clone();
        time().spawn(
            ELSEWHERE,
            Box::pin(async move {
                pause_of(after).await;
                drop(net.deliver(target, request, None));
            }),
        );
    }

    /// Hands a request over. `None` when nobody listens.
    fn deliver(
        &self,
        target: Target,
        request: Request<Bytes>,
        cut: Option<(usize, bool)>,
    ) -> Option<oneshot::Receiver<Response>> {
        let (owner, router) = self.state().answers(target)?;
        let (head, body) = request.into_parts();
        let body = match cut {
            None if body.is_empty() => Body::empty(),
            None => Body::from_stream(parts(body).map(Ok::<_, std::io::Error>)),
            Some((at, silent)) => {
                let end = stream::once(async move {
                    if silent {
                        std::future::pending::<()>().await;
                    }
                    Err(std::io::Error::other("cut"))
                });
                Body::from_stream(parts(body.slice(..at.min(body.len()))).map(Ok).chain(end))
            }
        };
        let mut request = Request::from_parts(head, body);
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        let (give, take) = oneshot::channel();
        let answering = async move {
            let Ok(response) = router.oneshot(request).await;
            let response = told(response).await;
            // Whoever asked may be gone.
            let _ = give.send(response);
        };
        time().spawn(owner, Box::pin(answering));
        Some(take)
    }
}

/// The end of a request that brings no answer: told, or found out by whoever waits for it.
async fn nothing(why: &str, silent: bool) -> Result<Reply, Broken> {
    if silent {
        std::future::pending::<()>().await;
    }
    Err(Broken(why.into()))
}

/// A request as an app sends it that speaks the version before this one.
fn as_older(request: Request<Bytes>) -> Request<Bytes> {
    let older = PROTOCOL - 1;
    let (mut head, mut body) = request.into_parts();
    head.headers.insert("standpipe-protocol", older.into());
    // Who greets or enrols says it once more.
    if let Ok(Value::Object(mut said)) = serde_json::from_slice(&body)
        && said.contains_key("protocol")
    {
        said.insert("protocol".into(), older.into());
        body = Value::Object(said).to_string().into();
        head.headers.insert(CONTENT_LENGTH, body.len().into());
    }
    Request::from_parts(head, body)
}

/// Counts what is answered, where that is a thing to count.
async fn told(response: Response) -> Response {
    if response.status() != StatusCode::CONFLICT {
        return response;
    }
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    if said["code"] == "forked" {
        happens(Effect::Forked);
    }
    Response::from_parts(head, Body::from(body))
}

fn parts(body: Bytes) -> impl futures::Stream<Item = Bytes> + Send {
    stream::unfold(body, |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        // A link is not a pipe: what is sent takes a while, and other things happen meanwhile.
        pause_of(Duration::from_millis(2)).await;
        let part = rest.split_to(PART.min(rest.len()));
        Some((part, rest))
    })
}

/// An answer's body on its way to a tablet.
struct Coming {
    net: Net,
    target: Target,
    from: Option<Owner>,
    body: stream::BoxStream<'static, Result<Bytes, axum::Error>>,
    left: Option<usize>,
}

impl Coming {
    async fn next(mut self) -> Option<(Result<Bytes, Broken>, Option<Self>)> {
        let broken = |why: &str| Some((Err(Broken(why.into())), None));
        if self.left == Some(0) {
            return broken("cut");
        }
        let part = self.body.next().await;
        if self.net.answers(self.target) != self.from || !self.net.link(self.target).is_up {
            return broken("who answered is gone");
        }
        let mut part = match part {
            Some(Ok(part)) => part,
            Some(Err(error)) => return broken(&error.to_string()),
            // A cut behind the last byte: the end itself does not come.
            None if self.left.is_some() => return broken("cut"),
            None => return None,
        };
        if let Some(left) = &mut self.left {
            part.truncate(*left);
            *left -= part.len();
        }
        Some((Ok(part), Some(self)))
    }
}
