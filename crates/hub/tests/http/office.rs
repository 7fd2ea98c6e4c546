//! A hub for one test, and those who talk to it.

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use standpipe_domain::ids::Millis;
use standpipe_hub::blobs::Share;
use standpipe_hub::demo;
use standpipe_hub::filing::Tracker;
use standpipe_hub::http::{self, App};
use standpipe_hub::ingest::Room;
use standpipe_hub::store::Store;
use standpipe_hub::store::sqlite::SqliteStore;
use standpipe_hub::world::{RealWorld, World};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// 2023-07-01 10:00 at the estate.
const MORNING: i64 = 1_688_176_800_000;

/// The world with a clock that stands until it is moved. What measures how long something takes moves on with it.
pub struct Still(AtomicI64);

impl Still {
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl World for Still {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }

    fn uuid(&self) -> Uuid {
        RealWorld.uuid()
    }

    fn random(&self, bytes: &mut [u8]) {
        RealWorld.random(bytes);
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().0.unsigned_abs())
    }
}

/// The demonstration's database. Its passwords take a second to hash, so that it is made once.
static ESTATE: OnceCell<Vec<u8>> = OnceCell::const_new();

async fn estate() -> Vec<u8> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("hub.db");
    let world = Arc::new(Still(AtomicI64::new(MORNING)));
    let store = SqliteStore::open(&path, world.clone()).await.unwrap();
    assert!(demo::load(&store as &dyn Store, world).await.unwrap());
    store.close().await;
    std::fs::read(path).unwrap()
}

/// A hub that answers, with the first estate in it.
pub struct Office {
    pub world: Arc<Still>,
    pub store: Arc<SqliteStore>,
    pub address: SocketAddr,
    pub http: Client,
    dir: Arc<TempDir>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Office {
    pub async fn open() -> Self {
        Self::open_at(false).await
    }

    /// One that browsers reach through TLS, or not.
    pub async fn open_at(behind_tls: bool) -> Self {
        Self::open_in(Self::folder().await, MORNING, |app| app, behind_tls).await
    }

    /// One that gives each tablet this share, and this room in quarantine.
    pub async fn open_allowing(share: Share, room: Room) -> Self {
        Self::open_in(Self::folder().await, MORNING, |app| app.allowing(share, room), false).await
    }

    /// One beside a tracker that the office had before.
    pub async fn open_beside(tracker: Tracker) -> Self {
        Self::open_in(Self::folder().await, MORNING, |app| app.beside(tracker), false).await
    }

    async fn folder() -> Arc<TempDir> {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("hub.db"), ESTATE.get_or_init(estate).await).unwrap();
        Arc::new(dir)
    }

    async fn open_in(dir: Arc<TempDir>, now: i64, allow: impl FnOnce(App) -> App, behind_tls: bool) -> Self {
        let world = Arc::new(Still(AtomicI64::new(now)));
        let store = Arc::new(SqliteStore::open(&dir.path().join("hub.db"), world.clone()).await.unwrap());
        let app = App::open(dir.path(), store.clone(), world.clone(), behind_tls).await.unwrap();
        let app = allow(app);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(http::serve(app, listener, async move {
            let _ = stopped.await;
        }));
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { world, store, address, http, dir, stop, serving }
    }

    /// One on a folder that is there.
    pub async fn within(dir: TempDir) -> Self {
        Self::open_in(Arc::new(dir), MORNING, |app| app, false).await
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Stops it as a signal would.
    pub async fn close(self) -> Arc<TempDir> {
        let _ = self.stop.send(());
        self.serving.await.unwrap().unwrap();
        self.store.close().await;
        self.dir
    }

    pub async fn restart(self) -> Self {
        let now = self.world.now().0;
        Self::open_in(self.close().await, now, |app| app, false).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request as somebody without any rights.
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// A request of the console's page to sign in.
    pub async fn sign_in(&self, name: &str, password: &str) -> Response {
        let form = json!({ "name": name, "password": password });
        let request = self.ask(Method::POST, "/api/v1/session").header("Standpipe-Client", "console");
        request.json(&form).send().await.unwrap()
    }

    /// Somebody who is signed in.
    pub async fn person(&self, name: &str) -> Person<'_> {
        let answer = self.sign_in(name, demo::PASSWORD).await;
        assert_eq!(answer.status(), 200, "{name} signs in");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        Person { office: self, cookie: cookie.split(';').next().unwrap().to_owned() }
    }
}

/// Somebody who is signed in, in the console's page.
pub struct Person<'o> {
    office: &'o Office,
    pub cookie: String,
}

impl Person<'_> {
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.office.ask(method, &format!("/api/v1{path}"));
        request.header("Cookie", &self.cookie).header("Standpipe-Client", "console")
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.ask(Method::POST, path).json(body).send().await.unwrap()
    }
}

/// Status and code of a problem.
pub async fn problem(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value =
        answer.json().await.unwrap_or_else(|error| panic!("{status} without a problem: {error}"));
    assert!(body["message"].is_string(), "{body}");
    (status, body["code"].as_str().unwrap().to_owned())
}

/// What a problem is to be.
pub fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
