//! The hub over HTTP: the API of the console and of the tablets, and the console itself.

mod auth;
mod console;
mod desk;
mod events;
mod evidence;
mod lines;
mod problem;
mod serve;
mod session;
mod snapshot;
mod sync;
mod tries;
mod tus;

pub use desk::CODE_LASTS;
pub use serve::serve;

use crate::blobs::{BlobError, Blobs, Book, Share, steady};
use crate::filing::{Filer, Tracker};
use crate::ingest::Room;
use crate::secret::{Password, PasswordHash, Unhashable};
use crate::store::Store;
use crate::world::World;
use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, head, post};
use axum::{Router, middleware};
use lines::Lines;
use problem::Problem;
use serde_json::json;
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::wire::MAX_BODY;
use std::path::Path as FilePath;
use std::sync::{Arc, OnceLock};
use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tower_http::trace::TraceLayer;
use tries::Tries;
use uuid::Uuid;

/// The version of the wire format, on requests and answers.
const PROTOCOL_HEADER: HeaderName = HeaderName::from_static("standpipe-protocol");
/// The most bytes of a request that is JSON: a question about a thousand hashes, the longest there is, fits well.
const MAX_JSON: usize = 128 * 1024;

/// What every request can use.
#[derive(Clone)]
pub struct App {
    store: Arc<dyn Store>,
    world: Arc<dyn World>,
    blobs: Blobs,
    tries: Arc<Tries>,
    /// How many passwords are compared at once.
    hashing: Arc<Semaphore>,
    /// How many pages of snapshots are made at once.
    packing: Arc<Semaphore>,
    /// Compared with where there is no such account, so that the time taken does not tell.
    nobody: Arc<OnceLock<PasswordHash>>,
    behind_tls: bool,
    other: broadcast::Sender<()>,
    lines: Lines,
    /// Names this run of the hub.
    run: Uuid,
    closing: watch::Sender<bool>,
    room: Room,
    /// The one that the office had before, where there is one.
    tracker: Option<Arc<Tracker>>,
    /// Tells its [`Filer`] that something is to be brought there again.
    wanted: Arc<Notify>,
}

/// Why the hub cannot answer requests.
#[derive(Debug, thiserror::Error)]
pub enum NotOpen {
    #[error("opening the photos: {0}")]
    Blobs(#[from] BlobError),
}

impl App {
    /// Opens the photos under `data`, beside a store that is open already. `behind_tls`: whether browsers reach the hub
    /// through TLS, so that the session's cookie may not go without it.
    pub async fn open<S: Store + Book + 'static>(
        data: &FilePath,
        store: Arc<S>,
        world: Arc<dyn World>,
        behind_tls: bool,
    ) -> Result<Self, NotOpen> {
        let blobs = Blobs::open(data, Arc::clone(&store) as Arc<dyn Book>, Arc::clone(&world)).await?;
        Ok(Self {
            nobody: Arc::default(),
            store,
            run: world.uuid(),
            world,
            blobs,
            tries: Arc::default(),
            hashing: Arc::new(Semaphore::new(2)),
            packing: Arc::new(Semaphore::new(snapshot::AT_ONCE)),
            behind_tls,
            other: broadcast::Sender::new(16),
            lines: Lines::default(),
            closing: watch::Sender::new(false),
            room: Room::default(),
            tracker: None,
            wanted: Arc::default(),
        })
    }

    /// Gives every tablet this share of the hub's attention, and this room in quarantine, in place of what is usual.
    #[must_use]
    pub fn allowing(mut self, share: Share, room: Room) -> Self {
        self.blobs.share(share);
        self.room = room;
        self
    }

    /// Issues are brought into this tracker, which the office had before.
    #[must_use]
    pub fn beside(mut self, tracker: Tracker) -> Self {
        self.tracker = Some(Arc::new(tracker));
        self
    }

    /// What brings issues there, for as long as it runs; [`serve`] lets it. `None` where there is no such tracker.
    #[must_use]
    pub fn filer(&self) -> Option<Filer> {
        let tracker = Arc::clone(self.tracker.as_ref()?);
        let (store, world) = (Arc::clone(&self.store), Arc::clone(&self.world));
        Some(Filer::new(store, world, tracker, Arc::clone(&self.wanted)))
    }

    /// The hash of a password that nobody has. Made once; [`serve`] does so before the first request.
    fn of_nobody(&self) -> Result<PasswordHash, Unhashable> {
        if let Some(hash) = self.nobody.get() {
            return Ok(hash.clone());
        }
        let hash = Password::generate(&*self.world).hash(&*self.world)?;
        Ok(self.nobody.get_or_init(|| hash).clone())
    }

    /// Tells pages and tablets that something is new that is neither an operation nor a photo.
    fn poke(&self) {
        // Nobody listening is no fault.
        let _ = self.other.send(());
    }

    /// Every address that the hub answers at.
    pub fn router(self) -> Router {
        let console = Router::new()
            .route("/session", get(session::who).post(session::sign_in).delete(session::sign_out))
            .route("/rounds", get(desk::rounds))
            .route("/rounds/{id}", get(desk::round))
            .route("/issues", get(desk::issues))
            .route("/issues/{id}", get(desk::issue))
            .route("/issues/{id}/steps", post(desk::step))
            .route("/issues/{id}/proof", post(desk::prove))
            .route("/issues/{id}/outside", post(desk::bring_again))
            .route("/directory", get(desk::directory))
            .route("/seals/{id}", get(desk::seal))
            .route("/tablets", get(desk::tablets).post(desk::new_tablet))
            .route("/tablets/{id}/revoke", post(desk::revoke))
            .route("/quarantine", get(desk::quarantine))
            .route("/quarantine/again", post(desk::judge_again))
            .route("/quarantine/seen", get(desk::seen_to).post(desk::see_to))
            .route("/evidence/{sha256}/{size}", get(evidence::for_console));
        let push = post(sync::push).layer(DefaultBodyLimit::max(MAX_BODY));
        let tablets = Router::new()
            .route("/enrol", post(sync::enrol))
            .route("/sync/hello", post(sync::hello))
            .route("/sync/push", push)
            .route("/sync/offer", post(sync::offer))
            .route("/sync/sums", post(sync::sums))
            .route("/sync/return", post(sync::take_back).layer(DefaultBodyLimit::max(MAX_BODY)))
            .route("/sync/pull", get(sync::pull))
            .route("/sync/snapshot", get(snapshot::snapshot))
            .route_layer(from_fn_with_state(self.clone(), unhurried));
        let console = console.route_layer(from_fn_with_state(self.clone(), unhurried));
        let api = console
            .merge(tablets)
            .merge(uploads(&self))
            .route("/events", get(events::events))
            .fallback(no_such_address)
            .method_not_allowed_fallback(no_such_method);
        Router::new()
            .nest("/api/v1", api)
            .route("/api", any(no_such_address))
            .route("/api/{*rest}", any(no_such_address))
            .route("/healthz", get(health))
            .fallback(console::file)
            .layer(DefaultBodyLimit::max(MAX_JSON))
            .layer(from_fn(secure))
            .layer(TraceLayer::new_for_http().make_span_with(span))
            .with_state(self)
    }
}

fn uploads(app: &App) -> Router<App> {
    Router::new()
        .route("/blobs", post(tus::create).options(tus::options))
        .route("/blobs/status", post(tus::status).layer(from_fn_with_state(app.clone(), unhurried)))
        .route(
            "/blobs/{upload}",
            head(tus::head).patch(tus::patch).delete(tus::terminate).post(tus::tunnelled),
        )
        .route("/blobs/{sha256}/{size}", get(evidence::for_tablet))
        .layer(middleware::map_response(|mut response: Response| async {
            response.headers_mut().insert(tus::RESUMABLE, HeaderValue::from_static(tus::TUS));
            if response.status() == StatusCode::PRECONDITION_FAILED {
                response.headers_mut().insert(tus::VERSION, HeaderValue::from_static(tus::TUS));
            }
            response
        }))
}

/// The path alone: queries, headers and bodies may hold what no log should.
fn span(request: &Request) -> tracing::Span {
    tracing::info_span!("request", method = %request.method(), path = request.uri().path())
}

async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(PROTOCOL_HEADER, HeaderValue::from(PROTOCOL));
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(nothing);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Cuts a body that hardly moves. Those of uploads are, too, where they are taken.
async fn unhurried(State(app): State<App>, request: Request, next: Next) -> Response {
    let unhurried = |body: Body| {
        if body.is_end_stream() {
            body
        } else {
            Body::from_stream(steady(body.into_data_stream(), app.world))
        }
    };
    next.run(request.map(unhurried)).await
}

async fn health(State(app): State<App>) -> Result<Response, Problem> {
    app.store.site().await?;
    Ok(Json(json!({ "standpipe": env!("CARGO_PKG_VERSION"), "protocol": PROTOCOL })).into_response())
}

async fn no_such_address() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-such-address", "the hub has nothing at this address")
}

async fn no_such_method() -> Problem {
    let message = "the hub does not do this at this address";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-such-method", message)
}

/// JSON in and out; what does not read is answered as any other problem.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
struct Json<T>(T);

impl<T> IntoResponse for Json<T>
where
    axum::Json<T>: IntoResponse,
{
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A part of the address.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
struct Path<T>(T);

/// What stands behind the question mark.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
struct Query<T>(T);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::SqliteStore;
    use crate::world::RealWorld;
    use tempfile::TempDir;

    #[tokio::test]
    async fn unless_told_otherwise_a_tablet_has_room_for_100_000_in_quarantine_of_a_gibibyte() {
        let (dir, world) = (TempDir::new().unwrap(), Arc::new(RealWorld));
        let store = Arc::new(SqliteStore::open(&dir.path().join("hub.db"), world.clone()).await.unwrap());
        let app = App::open(dir.path(), store, world, false).await.unwrap();
        assert_eq!(app.room, Room { ops: 100_000, bytes: 1 << 30 });
    }
}
