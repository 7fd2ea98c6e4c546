//! What stands between the tablet and the office, and what the person is told of it.

use super::hub::{Hub, html, problem, silence};
use super::tablet::{Tablet, record};
use crate::sync::Handle;
use crate::world::{TestWorld, World};
use axum::Json;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use standpipe_domain::ids::Millis;
use standpipe_domain::sync::{SyncState, Trouble};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use uuid::Uuid;

/// What happens, what is answered, and what the person is told of it.
type Case = (&'static str, fn() -> Response, fn(&Trouble) -> bool);

#[tokio::test]
async fn each_trouble_is_told_and_after_it_everything_goes_on() {
    let cases: [Case; 15] = [
        ("a login page", || html(200), |trouble| *trouble == Trouble::NotAHub),
        (
            "a redirection to one",
            || Redirect::to("/login").into_response(),
            |trouble| *trouble == Trouble::NotAHub,
        ),
        ("a network's own sign-in", || html(511), |trouble| *trouble == Trouble::NotAHub),
        ("another web server", || html(404), |trouble| *trouble == Trouble::NotAHub),
        (
            "other JSON",
            || Json(json!({"hello": "world"})).into_response(),
            |trouble| *trouble == Trouble::NotAHub,
        ),
        ("a cut connection", silence, |trouble| *trouble == Trouble::NoAnswer),
        ("a fault", || problem(500, "broken"), |trouble| matches!(trouble, Trouble::HubFault { .. })),
        ("a full disk at the office", || problem(507, "hub-full"), |trouble| *trouble == Trouble::HubFull),
        (
            "an office that keeps no more aside",
            || problem(507, "quarantine-full"),
            |trouble| *trouble == Trouble::QuarantineFull,
        ),
        ("a proxy without its hub", || html(502), |trouble| *trouble == Trouble::HubBusy),
        ("a hub with much to do", || problem(429, "too-fast"), |trouble| *trouble == Trouble::HubBusy),
        ("a line that hardly moves", || problem(408, "too-slow"), |trouble| *trouble == Trouble::NoAnswer),
        ("a proxy with much to do", || html(429), |trouble| *trouble == Trouble::HubBusy),
        ("a withdrawn tablet", || problem(401, "revoked"), |trouble| *trouble == Trouble::Revoked),
        ("an unknown tablet", || problem(401, "unknown-token"), |trouble| *trouble == Trouble::UnknownTablet),
    ];
    for (name, answer, is) in cases {
        let hub = Hub::start().await;
        hub.rule("POST /sync", move || Some(answer()));
        hub.rule("GET /sync", move || Some(answer()));
        let tablet = Tablet::of(&hub);
        record(&tablet.store);
        tablet
            .play(async |tablet| {
                let first = tablet.pause().await;
                let line = tablet.standing.line();
                assert!(line.trouble.as_ref().is_some_and(is), "{name}: {line:?}");
                assert_ne!(line.state, SyncState::Safe, "{name}");
                assert_ne!(line.state, SyncState::Sending, "{name}");
                assert_eq!(line.records, 1, "{name}");
                tablet.go_on();
                let second = tablet.pause().await;
                assert!((1_000..=2_000).contains(&first.as_millis()), "{name}: {first:?}");
                assert!((2_000..=4_000).contains(&second.as_millis()), "{name}: {second:?}");
                hub.behave();
                tablet.go_on();
                tablet.safe().await;
                assert_eq!(hub.kept().ops.len(), 1, "{name}");
            })
            .await;
    }
}

#[tokio::test]
async fn nobody_at_the_address_and_no_address() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        (format!("http://{free}"), Trouble::NoAnswer, SyncState::Waiting),
        ("ftp://hub.example".to_owned(), Trouble::BadAddress, SyncState::NeedsAttention),
    ];
    for (address, trouble, state) in cases {
        let tablet = Tablet::new();
        tablet.enrol(&address);
        record(&tablet.store);
        tablet
            .play(async |tablet| {
                tablet.pause().await;
                let line = tablet.standing.line();
                assert_eq!((line.trouble, line.state), (Some(trouble), state), "{address}");
            })
            .await;
    }
}

#[tokio::test]
async fn a_withdrawn_tablet_still_delivers_what_it_recorded() {
    let hub = Hub::start().await;
    hub.rule("GET /sync/", || Some(problem(403, "revoked")));
    hub.kept().revoked = true;
    hub.kept().quarantine = Some("revoked");
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            let line = tablet.standing.line();
            assert_eq!((line.records, line.set_aside), (0, 1));
            assert_eq!((line.state, line.trouble), (SyncState::NeedsAttention, Some(Trouble::Revoked)));
        })
        .await;
}

#[tokio::test]
async fn an_old_app_cannot_fetch_but_delivers_everything() {
    for (code, trouble, state) in [
        ("hub-newer", Trouble::HubNewer, SyncState::NeedsAttention),
        ("hub-older", Trouble::HubOlder, SyncState::Checking),
    ] {
        let hub = Hub::start().await;
        hub.rule("GET /sync/", move || Some(problem(426, code)));
        let tablet = Tablet::of(&hub);
        let photo = tablet.photo(b"a photo");
        tablet
            .play(async |tablet| {
                tablet.pause().await;
                let line = tablet.standing.line();
                assert_eq!((line.records, line.photos), (0, 0), "{code}");
                assert_eq!((line.state, line.trouble), (state, Some(trouble)), "{code}");
                assert!(hub.kept().verified.contains_key(&photo), "{code}");
            })
            .await;
    }
}

#[tokio::test]
async fn a_broken_table_of_photos_does_not_hold_records_back() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    let other = rusqlite::Connection::open(tablet.store.path()).unwrap();
    other.execute_batch("ALTER TABLE upload RENAME TO lost").unwrap();
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(hub.kept().ops.len(), 1);
            let line = tablet.standing.line();
            assert!(matches!(line.trouble, Some(Trouble::TabletFault { .. })), "{line:?}");
            assert_ne!(line.state, SyncState::Safe, "what cannot be counted is not said to be safe");
            other.execute_batch("ALTER TABLE lost RENAME TO upload").unwrap();
            tablet.go_on();
            tablet.safe().await;
        })
        .await;
}

/// A world whose clock breaks once.
struct Broken {
    world: TestWorld,
    broken: AtomicBool,
}

impl World for Broken {
    fn now(&self) -> Millis {
        if self.broken.swap(false, SeqCst) {
            std::panic::resume_unwind(Box::new("a clock that breaks"));
        }
        self.world.now()
    }

    fn uuid(&self) -> Uuid {
        self.world.uuid()
    }

    fn random(&self, bytes: &mut [u8]) {
        self.world.random(bytes);
    }

    fn free(&self, folder: &Path) -> io::Result<u64> {
        self.world.free(folder)
    }
}

#[tokio::test]
async fn a_fault_of_the_app_itself_does_not_end_synchronisation() {
    let hub = Hub::start().await;
    let world = Arc::new(Broken { world: TestWorld::new(1), broken: AtomicBool::new(false) });
    let tablet = Tablet::within(Arc::clone(&world) as Arc<dyn World>);
    tablet.enrol(&hub.address);
    record(&tablet.store);
    world.broken.store(true, SeqCst);
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert!(matches!(tablet.standing.line().trouble, Some(Trouble::TabletFault { .. })));
            tablet.go_on();
            tablet.safe().await;
        })
        .await;
}

#[tokio::test]
async fn a_tablet_without_an_office_asks_nobody() {
    let hub = Hub::start().await;
    Tablet::new()
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(tablet.standing.line().state, SyncState::NotEnrolled);
            assert_eq!(hub.asked(), [""; 0]);
            tablet.enrol(&hub.address);
            tablet.standing.wake();
            tablet.safe().await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_driver_on_its_own_thread_works_and_stops() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    let (tell, lines) = mpsc::channel();
    let handle = Handle::spawn(Arc::clone(&tablet.store), move |line| {
        let _ = tell.send(line.state);
    })
    .unwrap();
    tokio::task::spawn_blocking(move || {
        while lines.recv().unwrap() != SyncState::Safe {}
        assert_eq!(handle.line().state, SyncState::Safe);
        handle.stop();
        handle.wake();
        handle.stop();
        drop(handle);
        assert!(lines.iter().all(|state| state == SyncState::Safe), "nothing runs any more, nothing is told");
    })
    .await
    .unwrap();
}
