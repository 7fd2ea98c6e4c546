//! Requests for uploads, as any client may send them, to a hub with a folder of its own.

mod ask;

use arbitrary::Unstructured;
use ask::Asked;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use standpipe_domain::ids::{DeviceId, Millis, Sha256};
use standpipe_hub::blobs::{Book, Share};
use standpipe_hub::demo;
use standpipe_hub::http::App;
use standpipe_hub::ingest::Room;
use standpipe_hub::secret::{Code, Token};
use standpipe_hub::store::sqlite::SqliteStore;
use standpipe_hub::store::{Enrolment, NewDevice, Store};
use standpipe_oplog::chain::sha256;
use standpipe_oplog::seal::Jwk;
use standpipe_world::{RealWorld, World};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use uuid::Uuid;

const MOST: usize = 10;
/// The most that is read of an answer.
const ANSWER: usize = 1024 * 1024;

/// Makes requests of `data` and looks at the answers.
///
/// # Panics
/// Where the hub fails by its own fault, refuses without a code, or says of bytes that they are here and they are not.
pub fn tus(data: &[u8]) {
    static HUB: OnceLock<Mutex<Hub>> = OnceLock::new();
    let hub = HUB.get_or_init(|| Mutex::new(Hub::open()));
    // A panic before this is told already.
    let hub = hub.lock().unwrap_or_else(PoisonError::into_inner);
    hub.runtime.block_on(hub.play(&mut Unstructured::new(data)));
}

/// The world with a clock that stands until it is moved.
struct Still(AtomicI64);

impl World for Still {
    fn now(&self) -> Millis {
        Millis(self.0.load(SeqCst))
    }

    fn uuid(&self) -> Uuid {
        RealWorld.uuid()
    }

    fn random(&self, bytes: &mut [u8]) {
        RealWorld.random(bytes);
    }
}

struct Hub {
    runtime: Runtime,
    world: Arc<Still>,
    store: Arc<SqliteStore>,
    router: Router,
    tokens: [String; 2],
    photos: Vec<(Sha256, Vec<u8>)>,
    uploads: PathBuf,
    _dir: TempDir,
}

impl Hub {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let dir = TempDir::new().expect("a folder");
        let world = Arc::new(Still(AtomicI64::new(1_688_176_800_000)));
        let (store, router, tokens) = runtime.block_on(async {
            let store = SqliteStore::open(&dir.path().join("hub.db"), world.clone()).await.expect("a store");
            let store = Arc::new(store);
            demo::load(&*store, world.clone()).await.expect("an estate");
            let app = App::open(dir.path(), store.clone(), world.clone(), false).await.expect("a hub");
            // Whoever tries without end is not to be told to wait.
            let app = app.allowing(Share { announced: u32::MAX, ..Share::default() }, Room::default());
            let tokens = [enrol(&*store, &world).await, enrol(&*store, &world).await];
            (store, app.router(), tokens)
        });
        let photos = [0, 1, 300, 70_000].map(photo).into();
        Self { runtime, world, store, router, tokens, photos, uploads: dir.path().join("uploads"), _dir: dir }
    }

    async fn play(&self, from: &mut Unstructured<'_>) {
        // Each story begins with nothing here.
        for (hash, _) in &self.photos {
            self.store.lost_blob(*hash).await.expect("a store");
        }
        let mut places = Vec::new();
        for _ in 0..MOST {
            let Ok(asked) = self.ask(from, &places) else { break };
            if let Some(place) = self.answered(asked).await {
                places.push(place);
            }
        }
        for upload in self.store.uploads(None).await.expect("a store") {
            self.store.end_upload(upload.id).await.expect("a store");
        }
        for file in std::fs::read_dir(&self.uploads).expect("the folder of uploads") {
            std::fs::remove_file(file.expect("a file").path()).expect("a file is removed");
        }
    }

    /// Sends a request and looks at its answer. Gives the place of an upload that it opened.
    async fn answered(&self, Asked { method, path, request }: Asked) -> Option<String> {
        let answer = match self.router.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, ANSWER).await.expect("an answer ends");
        let (status, headers) = (parts.status, parts.headers);
        let of = format!("{method} {path}: {status} {}", String::from_utf8_lossy(&body));
        assert!(!status.is_server_error(), "{of}");
        // What no part of the protocol is at is answered outside of it.
        let elsewhere = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        assert!(elsewhere || text(&headers, "tus-resumable") == Some("1.0.0"), "{of}");
        if status.is_client_error() && method != "HEAD" {
            let problem: Value = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("no problem: {of}"));
            assert!(problem["code"].is_string() && problem["message"].is_string(), "{of}");
        }
        let number = |name: &str| text(&headers, name).and_then(|number| number.parse::<u64>().ok());
        if let (Some(offset), Some(length)) = (number("upload-offset"), number("upload-length")) {
            assert!(offset <= length, "{of}");
        }
        if text(&headers, "standpipe-blob") == Some("verified") {
            assert!(!headers.contains_key("upload-expires"), "{of}");
        }
        self.nothing_is_made_up().await;
        (status == StatusCode::CREATED).then(|| text(&headers, "location").expect("a place").to_owned())
    }

    /// What the hub says of each photo agrees with the bytes that it gives.
    async fn nothing_is_made_up(&self) {
        for (hash, bytes) in &self.photos {
            if self.store.blob(*hash).await.expect("a store").is_some() {
                let request = Request::get(format!("/api/v1/blobs/{hash}/original"));
                let request = request.header("authorization", format!("Bearer {}", self.tokens[0]));
                let answer =
                    self.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await;
                let body = answer.unwrap_or_else(|never: Infallible| match never {}).into_body();
                assert!(
                    to_bytes(body, ANSWER).await.expect("bytes") == *bytes,
                    "{hash} is here with other bytes"
                );
            }
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn photo(length: usize) -> (Sha256, Vec<u8>) {
    let bytes: Vec<u8> = (0..=250_u8).cycle().take(length).collect();
    (sha256(&bytes), bytes)
}

/// Enrols a tablet of somebody in the demonstration. Gives its token.
async fn enrol(store: &dyn Store, world: &Still) -> String {
    let (code, token) = (Code::generate(world), Token::generate(world));
    let expires = Millis(world.now().0 + 1);
    let person = store.directory().await.expect("a store").people.first().expect("somebody").id;
    let offer = Enrolment { code: code.hash(), name: "tablet".into(), person, expires };
    store.offer(offer).await.expect("a code");
    let key = Jwk { kty: "OKP".into(), crv: "Ed25519".into(), x: String::new() };
    let new = NewDevice { id: DeviceId(world.uuid()), key, token: token.hash(), version: String::new() };
    let device = store.enrol(code.hash(), new, world.now()).await.expect("a store");
    assert!(device.is_some(), "a fresh code enrols a tablet");
    token.reveal().to_owned()
}
