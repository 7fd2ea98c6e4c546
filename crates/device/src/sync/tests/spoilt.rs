//! Photos whose files on this tablet are not what was recorded, and that may be at the office all the same.

use super::fetching::{fetch, where_is};
use super::hub::{Hub, problem, silence};
use super::tablet::Tablet;
use crate::store::blobs::Role;
use crate::sync::pace::PAROLE;
use standpipe_domain::evidence::Whereabouts;
use standpipe_domain::hold::{Choices, Network, Surroundings};
use standpipe_domain::ids::Sha256;
use standpipe_domain::sync::{AsideId, SyncState, Trouble};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

#[tokio::test]
async fn a_photo_that_is_spoilt_here_and_that_the_office_has_is_safe_there_and_comes_back_when_asked_for() {
    for (left, code) in [(None, "file-missing-unasked"), (Some(b"not my photo"), "file-damaged-unasked")] {
        let hub = Hub::start().await;
        let tablet = Tablet::of(&hub);
        let of = tablet.photo(b"my own photo");
        hub.kept().verified.insert(of, b"my own photo".to_vec());
        let path = tablet.store.vault().path(of, Role::Original);
        match left {
            Some(other) => fs::write(&path, other).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        // So that nothing else is asked for.
        hub.kept().tells = true;
        let breaks = Arc::new(AtomicBool::new(true));
        let line_breaks = Arc::clone(&breaks);
        hub.rule("POST /blobs/status", move || line_breaks.load(SeqCst).then(silence));
        tablet
            .play(async |tablet| {
                let line = tablet.line(|line| line.set_aside == 1).await;
                assert_eq!(line.state, SyncState::NeedsAttention);
                tablet.pause().await;
                assert_eq!(where_is(&tablet.store), Whereabouts::NeedsAttention { code: code.into() });
                tablet.store.see_to(&[AsideId::Photo(of)], true).unwrap();
                assert_eq!(tablet.standing.line().set_aside, 1, "nobody puts away what may be safe");
                breaks.store(false, SeqCst);
                tablet.go_on();
                tablet.safe().await;
                let at_office = Whereabouts::Elsewhere { at_office: Some(true), by: None };
                assert_eq!(where_is(&tablet.store), at_office);
                fetch(tablet, of).await.unwrap();
                assert_eq!(fs::read(&path).unwrap(), b"my own photo");
                assert_eq!(where_is(&tablet.store), Whereabouts::SafeAtOffice);
                let kept = fs::read_dir(path.parent().unwrap()).unwrap().count();
                assert_eq!(kept, 1 + left.iter().count(), "what was left of it is kept beside");
            })
            .await;
    }
}

/// A photo whose file vanished from a tablet, and the hub that has it or not.
async fn vanished(at_office: bool) -> (Hub, Tablet, Sha256) {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let of = tablet.photo(b"my own photo");
    if at_office {
        hub.kept().verified.insert(of, b"my own photo".to_vec());
    }
    fs::remove_file(tablet.store.vault().path(of, Role::Original)).unwrap();
    hub.kept().tells = true;
    (hub, tablet, of)
}

const AT_OFFICE: Whereabouts = Whereabouts::Elsewhere { at_office: Some(true), by: None };

fn on_a(tablet: &Tablet, network: Network) {
    tablet.standing.surround(Surroundings { network, ..Surroundings::default() });
}

/// The person has them wait for Wi-Fi, and there is none.
fn originals_wait(tablet: &Tablet) {
    tablet.store.choose(Choices { wait_for_wifi: true, wait_for_battery: false }).unwrap();
    on_a(tablet, Network::Metered);
}

fn attention(code: &str) -> Whereabouts {
    Whereabouts::NeedsAttention { code: code.into() }
}

#[tokio::test]
async fn what_could_not_be_asked_is_asked_while_originals_wait_and_told_as_lost_where_the_office_lacks_it() {
    let (hub, tablet, _) = vanished(false).await;
    let breaks = Arc::new(AtomicBool::new(true));
    let line_breaks = Arc::clone(&breaks);
    hub.rule("POST /blobs/status", move || line_breaks.load(SeqCst).then(silence));
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.set_aside == 1).await;
            tablet.pause().await;
            originals_wait(tablet);
            // Somebody tries again: it does not seem to wait for Wi-Fi.
            tablet.standing.due().retry = true;
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(where_is(&tablet.store), attention("file-missing-unasked"));
            breaks.store(false, SeqCst);
            tablet.go_on();
            while where_is(&tablet.store) != attention("file-missing") {
                tablet.pause().await;
                tablet.go_on();
            }
            tablet.standing.due().retry = true;
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(where_is(&tablet.store), attention("file-missing"));
        })
        .await;
}

#[tokio::test]
async fn a_photo_that_only_the_office_had_is_not_said_to_be_there_once_the_office_lacks_it() {
    let (hub, tablet, of) = vanished(true).await;
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            assert_eq!(where_is(&tablet.store), AT_OFFICE);
            hub.kept().verified.remove(&of);
            assert_eq!(fetch(tablet, of).await.unwrap_err().code(), "not-here-yet");
            tablet.line(|line| line.set_aside == 1).await;
            tablet.pause().await;
            assert_eq!(where_is(&tablet.store), attention("file-missing"));
        })
        .await;
}

#[tokio::test]
async fn what_neither_end_has_any_more_does_not_seem_to_wait() {
    let (hub, tablet, of) = vanished(true).await;
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            originals_wait(tablet);
            hub.kept().verified.remove(&of);
            tablet.standing.doubt_all();
            tablet.go_on();
            // Nobody has it any more: it does not wait for Wi-Fi, it is lost.
            let line = tablet.line(|line| line.set_aside == 1).await;
            assert_eq!((line.held, where_is(&tablet.store)), (None, attention("file-missing")));
        })
        .await;
}

#[tokio::test]
async fn a_lost_photo_that_the_office_has_by_now_is_at_the_office() {
    let (hub, tablet, of) = vanished(false).await;
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.set_aside == 1).await;
            tablet.pause().await;
            tablet.store.see_to(&[AsideId::Photo(of)], true).unwrap();
            tablet.line(|line| line.state == SyncState::SafeBut).await;
            // A colleague had fetched it, and gave it back.
            hub.kept().verified.insert(of, b"my own photo".to_vec());
            tablet.standing.doubt_all();
            tablet.go_on();
            tablet.safe().await;
            assert_eq!(where_is(&tablet.store), AT_OFFICE);
        })
        .await;
}

#[tokio::test]
async fn what_was_not_tried_while_originals_waited_is_tried_once_they_go() {
    let (_hub, tablet, of) = vanished(false).await;
    let path = tablet.store.vault().path(of, Role::Original);
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.set_aside == 1).await;
            originals_wait(tablet);
            tablet.pause().await;
            fs::write(&path, b"my own photo").unwrap();
            tablet.standing.due().retry = true;
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(where_is(&tablet.store), attention("file-missing"));
            on_a(tablet, Network::Unmetered);
            tablet.safe().await;
            assert_eq!(where_is(&tablet.store), Whereabouts::SafeAtOffice);
        })
        .await;
}

#[tokio::test]
async fn a_spoilt_photo_of_which_the_office_says_nothing_keeps_no_other_waiting() {
    let (hub, tablet, _) = vanished(false).await;
    let other = tablet.photo(b"another photo");
    hub.rule("POST /blobs/status", || Some(problem(500, "broken")));
    tablet
        .play(async |tablet| {
            while !hub.kept().verified.contains_key(&other) {
                tablet.pause().await;
                tablet.go_on();
            }
            assert_eq!(tablet.standing.line().set_aside, 1);
        })
        .await;
}

/// The file of a photo cannot be read for now, though it is whole, until what this gives is called.
fn unreadable(tablet: &Tablet, of: Sha256) -> impl FnOnce() + use<> {
    let path = tablet.store.vault().path(of, Role::Original);
    let whole = path.with_extension("kept");
    fs::rename(&path, &whole).unwrap();
    // A name that leads to itself: no file system follows it.
    std::os::unix::fs::symlink(&path, &path).unwrap();
    move || fs::rename(whole, path).unwrap()
}

#[tokio::test]
async fn a_photo_that_cannot_be_read_for_a_moment_is_never_told_as_lost_and_goes_up_unasked() {
    let hub = Hub::start().await;
    let (world, tablet) = Tablet::with_world(&hub);
    let of = tablet.photo(b"my own photo");
    // Its thumbnail comes first. Twice the hub fails at it, and once the disk: that is three times of neither.
    hub.rule("PATCH /blobs/1", || Some(problem(500, "broken")));
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            tablet.go_on();
            tablet.pause().await;
            hub.behave();
            let mend = unreadable(tablet, of);
            for _ in 0..2 {
                tablet.go_on();
                tablet.pause().await;
                let line = tablet.standing.line();
                assert_eq!((line.set_aside, line.photos, line.lost), (0, 1, 0));
                assert!(matches!(line.trouble, Some(Trouble::TabletFault { .. })), "{:?}", line.trouble);
            }
            tablet.go_on();
            let line = tablet.line(|line| line.set_aside == 1).await;
            assert_eq!((line.photos, line.lost), (1, 0), "nobody knows that it is lost");
            assert_eq!(where_is(&tablet.store), attention("file-unread"));
            tablet.store.see_to(&[AsideId::Photo(of)], true).unwrap();
            assert_eq!(tablet.standing.line().set_aside, 1, "nobody puts away what may be whole");
            tablet.pause().await;
            mend();
            world.passes(PAROLE);
            tablet.go_on();
            tablet.safe().await;
            assert_eq!(hub.kept().verified[&of], b"my own photo");
        })
        .await;
}

#[tokio::test]
async fn of_a_photo_that_cannot_be_read_now_and_that_the_office_has_nothing_is_put_aside() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let of = tablet.photo(b"my own photo");
    hub.kept().verified.insert(of, b"my own photo".to_vec());
    let path = tablet.store.vault().path(of, Role::Original);
    let mend = unreadable(&tablet, of);
    tablet
        .play(async |tablet| {
            for _ in 0..3 {
                assert_ne!(where_is(&tablet.store), Whereabouts::SafeAtOffice);
                tablet.pause().await;
                tablet.go_on();
            }
            tablet.safe().await;
            assert_eq!(where_is(&tablet.store), Whereabouts::SafeAtOffice);
            assert!(path.is_symlink(), "what lies there stays");
            mend();
            assert_eq!(fs::read(&path).unwrap(), b"my own photo");
        })
        .await;
}

#[tokio::test]
async fn what_is_lost_is_not_taken_up_again_beside_what_may_go_up_yet() {
    let hub = Hub::start().await;
    let (world, tablet) = Tablet::with_world(&hub);
    let gone = tablet.photo(b"this one vanishes");
    let refused = tablet.photo(b"this one is refused");
    fs::remove_file(tablet.store.vault().path(gone, Role::Original)).unwrap();
    // Two thumbnails come first.
    hub.rule("PATCH /blobs/2", || Some(problem(400, "of-a-later-version")));
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.set_aside == 2).await;
            tablet.pause().await;
            hub.behave();
            tablet.told.lock().unwrap().clear();
            world.passes(PAROLE);
            tablet.go_on();
            tablet.line(|line| line.set_aside == 1 && line.photos == 0).await;
            assert!(hub.kept().verified.contains_key(&refused));
            assert!(tablet.told.lock().unwrap().iter().all(|line| line.lost == 1), "it never seems to wait");
        })
        .await;
}
