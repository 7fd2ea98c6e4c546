//! The hub's HTTP interface, as typed calls.
//!
//! The links are bad: a request has no total time limit, but one that moves no byte for a while is given up. What answers
//! may be anything, above all a network's login page: nothing is taken for the hub's word that does not read as such.

mod blobs;
mod enrol;
mod events;
mod records;
mod snapshot;

pub use blobs::{Created, Download, NewBlob, Patched, Thumbnail};
pub use enrol::enrol;
pub use events::Events;
pub use records::Pushed;
pub(super) use records::unreadable;
pub use snapshot::Snapshot;

use super::fault::Fault;
use super::wire::{Connect, Reply, Wire};
use crate::identity::Token;
use crate::world::{World, within};
use bytes::Bytes;
use futures::StreamExt;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::request::Builder;
use http::{Method, Request, StatusCode};
use reqwest::Url;
use serde::de::DeserializeOwned;
use standpipe_domain::office::ApiProblem;
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::wire::MAX_OPS;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most bytes of an answer that is JSON.
const MAX_JSON: usize = 1024 * 1024;
/// What is kept of a hub's own words, in characters.
const MAX_DETAIL: usize = 200;

/// How long a bad link is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next byte, out or in.
    pub stall: Duration,
    /// For the next byte of the event stream, where the hub sends a sign of life every 15 s or so.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), stall: seconds(30), silence: seconds(60) }
    }
}

/// What a client of a hub takes from outside.
#[derive(Clone)]
pub struct Outside {
    pub world: Arc<dyn World>,
    pub connect: Connect,
    pub patience: Patience,
    /// About how many operations go in one push.
    pub batch: usize,
}

impl Outside {
    /// The network, within this world.
    pub fn network(world: Arc<dyn World>) -> Self {
        let patience = Patience::default();
        Self {
            world,
            connect: super::wire::network(patience.connect, patience.stall),
            patience,
            batch: MAX_OPS,
        }
    }
}

/// A hub at an address, and a tablet's key to it.
#[derive(Clone)]
pub struct HubClient {
    wire: Arc<dyn Wire>,
    world: Arc<dyn World>,
    /// Ends with `/api/v1/`.
    base: Url,
    token: Option<Token>,
    patience: Patience,
}

/// An answer, read whole.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl fmt::Debug for HubClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubClient").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl HubClient {
    /// A hub at `address`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Fault::BadAddress`].
    pub fn new(address: &str, token: Option<Token>, outside: &Outside) -> Result<Self, Fault> {
        let base = base(address)?;
        let Outside { world, connect, patience, .. } = outside;
        Ok(Self { wire: connect(&base)?, world: Arc::clone(world), base, token, patience: *patience })
    }

    fn request(&self, method: Method, path: &str) -> Result<Builder, Fault> {
        let url = self.base.join(path).map_err(|_| Fault::BadAddress(path.to_owned()))?;
        Ok(self.request_at(method, &url))
    }

    fn request_at(&self, method: Method, url: &Url) -> Builder {
        let request =
            Request::builder().method(method).uri(url.as_str()).header("Standpipe-Protocol", PROTOCOL);
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, bearer(token)),
            None => request,
        }
    }

    /// Sends a request with a JSON body and reads a JSON answer.
    async fn json<A: DeserializeOwned>(
        &self,
        doing: &'static str,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<A, Fault> {
        let body =
            serde_json::to_vec(body).map_err(|error| Fault::HubFault { doing, detail: error.to_string() })?;
        let request = self
            .request(Method::POST, path)?
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json");
        self.exchange(doing, request, body.into(), MAX_JSON).await?.json(doing)
    }

    /// Sends a request and reads the whole answer, of at most `limit` bytes. What is not below 300 becomes a fault.
    async fn exchange(
        &self,
        doing: &'static str,
        request: Builder,
        body: Bytes,
        limit: usize,
    ) -> Result<Answer, Fault> {
        let answer = self.ask(doing, request, body, limit).await?;
        self.good(doing, answer)
    }

    /// Sends a request and reads the whole answer, whatever its status.
    async fn ask(
        &self,
        doing: &'static str,
        request: Builder,
        body: Bytes,
        limit: usize,
    ) -> Result<Answer, Fault> {
        let response = self.send(doing, request, body).await?;
        self.read(doing, response, limit).await
    }

    /// Sends a request; gives it up when no byte moves.
    async fn send(&self, doing: &'static str, mut request: Builder, body: Bytes) -> Result<Reply, Fault> {
        if !body.is_empty() {
            // A stream has no length of its own, and without one it would go chunked.
            request = request.header(CONTENT_LENGTH, body.len());
        }
        let request = request.body(body).map_err(|error| Fault::BadAddress(error.to_string()))?;
        let moved = Arc::new(AtomicU64::new(0));
        let mut answer = self.wire.send(request, Arc::clone(&moved));
        let mut before = None;
        loop {
            if let Some(answer) = within(&*self.world, self.patience.stall, &mut answer).await {
                return answer.map_err(|broken| Fault::no_answer(doing, broken));
            }
            let now = Some(moved.load(Ordering::Relaxed));
            if before == now || now == Some(0) {
                return Err(stalled(doing, self.patience.stall));
            }
            before = now;
        }
    }

    async fn read(&self, doing: &'static str, reply: Reply, limit: usize) -> Result<Answer, Fault> {
        let (status, headers) = (reply.status, reply.headers.clone());
        let mut coming = self.coming(doing, reply, self.patience.stall);
        let mut body = Vec::new();
        while let Some(chunk) = coming.next().await? {
            if body.len() + chunk.len() > limit {
                let detail = format!("the answer has more than {limit} bytes");
                return Err(Fault::NotAHub { doing, detail });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }

    fn coming(&self, doing: &'static str, reply: Reply, patience: Duration) -> Coming {
        Coming { doing, world: Arc::clone(&self.world), reply, patience }
    }

    fn good(&self, doing: &'static str, answer: Answer) -> Result<Answer, Fault> {
        if answer.status.is_success() { Ok(answer) } else { Err(self.refusal(doing, &answer)) }
    }

    /// What an answer of 300 or above means.
    fn refusal(&self, doing: &'static str, answer: &Answer) -> Fault {
        let status = answer.status;
        let problem: Option<ApiProblem> = serde_json::from_slice(&answer.body).ok();
        // 511 is a network that wants its own sign-in first (RFC 6585).
        if status.is_server_error() && status != StatusCode::NETWORK_AUTHENTICATION_REQUIRED {
            if status == StatusCode::INSUFFICIENT_STORAGE {
                // What it keeps aside has a bound too, and then it is not the disk.
                let is_aside = problem.is_some_and(|problem| problem.code == "quarantine-full");
                return if is_aside { Fault::QuarantineFull { doing } } else { Fault::HubFull { doing } };
            }
            let words = problem.map_or_else(String::new, |problem| format!(": {}", short(&problem.message)));
            let detail = format!("{status}{words}");
            return match status.as_u16() {
                502..=504 => Fault::HubBusy { doing, detail },
                _ => Fault::HubFault { doing, detail },
            };
        }
        // The line hardly moves.
        if status == StatusCode::REQUEST_TIMEOUT {
            return Fault::NoAnswer { doing, detail: status.to_string() };
        }
        // Said by the hub, or by what stands before it.
        if status == StatusCode::TOO_MANY_REQUESTS && self.token.is_some() {
            return Fault::HubBusy { doing, detail: status.to_string() };
        }
        let Some(problem) = problem else {
            return Fault::NotAHub { doing, detail: format!("{status}, {}", media_type(&answer.headers)) };
        };
        match (status, problem.code.as_str()) {
            (_, "revoked") => Fault::Revoked,
            (StatusCode::UNAUTHORIZED, _) if self.token.is_some() => Fault::UnknownTablet,
            (StatusCode::UPGRADE_REQUIRED, "hub-older") => Fault::HubOlder,
            (StatusCode::UPGRADE_REQUIRED, _) => Fault::HubNewer,
            _ => Fault::Refused { doing, code: short(&problem.code), message: short(&problem.message) },
        }
    }
}

impl Answer {
    fn json<A: DeserializeOwned>(&self, doing: &'static str) -> Result<A, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let detail = format!("{}, {}: {error}", self.status, media_type(&self.headers));
            Fault::NotAHub { doing, detail }
        })
    }
}

/// The address of the interface at the hub's address.
fn base(address: &str) -> Result<Url, Fault> {
    let bad = || Fault::BadAddress(address.to_owned());
    let mut url = Url::parse(&with_scheme(address.trim())).map_err(|_| bad())?;
    let plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
        return Err(bad());
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = format!("{}/api/v1/", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// An address as people type it, with a scheme: within a house (RFC 1918, loopback) a hub speaks plain HTTP, elsewhere
/// HTTPS.
fn with_scheme(address: &str) -> String {
    if address.contains("://") {
        return address.to_owned();
    }
    let url = Url::parse(&format!("http://{address}")).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let is_near = match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(ip)) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => host == "localhost",
    };
    format!("{}://{address}", if is_near { "http" } else { "https" })
}

fn bearer(token: &Token) -> HeaderValue {
    // A token that is no header's text is sent empty: the hub then says that it does not know this tablet.
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.0))
        .unwrap_or_else(|_| HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    value
}

/// The body of an answer on its way in.
struct Coming {
    doing: &'static str,
    world: Arc<dyn World>,
    reply: Reply,
    patience: Duration,
}

impl Coming {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        match within(&*self.world, self.patience, self.reply.body.next()).await {
            Some(part) => part.transpose().map_err(|broken| Fault::no_answer(self.doing, broken)),
            None => Err(stalled(self.doing, self.patience)),
        }
    }
}

fn stalled(doing: &'static str, patience: Duration) -> Fault {
    Fault::NoAnswer { doing, detail: format!("no byte moved for {patience:?}") }
}

fn media_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("no media type")
}

fn short(text: &str) -> String {
    text.chars().take(MAX_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_people_type_it() {
        for (typed, reached) in [
            ("192.168.1.20:4180", "http://192.168.1.20:4180/api/v1/"),
            (" 127.0.0.1:4180 ", "http://127.0.0.1:4180/api/v1/"),
            ("localhost:4180", "http://localhost:4180/api/v1/"),
            ("[fd00::1]:4180", "http://[fd00::1]:4180/api/v1/"),
            ("hub.example.org", "https://hub.example.org/api/v1/"),
            ("https://hub.example.org/standpipe/?a#b", "https://hub.example.org/standpipe/api/v1/"),
        ] {
            assert_eq!(base(typed).unwrap().as_str(), reached, "{typed}");
        }
        for wrong in ["", "ftp://hub.example.org", "http://", "https://me:secret@hub.example.org", "a b"] {
            assert!(matches!(base(wrong), Err(Fault::BadAddress(_))), "{wrong}");
        }
    }
}
