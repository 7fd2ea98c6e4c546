//! Photos on their way up: cuts, refusals, and files that are not what was recorded.

use super::hub::{Hub, problem, silence};
use super::tablet::{Tablet, record};
use crate::store::blobs::Role;
use crate::sync::pace::PAROLE;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use standpipe_domain::sync::{AsideId, SyncState, Trouble};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

const KIB: usize = 1024;

#[tokio::test]
async fn a_photo_goes_on_where_the_link_was_cut() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let bytes: Vec<u8> = (0..300 * KIB).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
    let photo = tablet.photo(&bytes);
    let cut = Arc::new(AtomicBool::new(false));
    let (once, server) = (Arc::clone(&cut), hub.clone());
    hub.rule("PATCH /blobs/1", move || {
        if !once.swap(true, SeqCst) {
            server.kept().cut = Some(50 * KIB);
        }
        None
    });
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            let line = tablet.standing.line();
            assert_eq!((line.photos, line.trouble), (1, Some(Trouble::NoAnswer)));
            assert_eq!(hub.kept().uploads[1].bytes.len(), 50 * KIB);
            hub.asked();
            tablet.go_on();
            tablet.safe().await;
            assert_eq!(hub.kept().verified[&photo], bytes);
            assert_eq!(hub.kept().uploads.len(), 2, "nothing began anew");
            let sent = hub.sent();
            assert_eq!(sent[..2], ["HEAD /blobs/1", "PATCH /blobs/1"]);
        })
        .await;
}

#[tokio::test]
async fn what_the_hub_says_unasked_is_believed_and_not_asked_for_again() {
    let hub = Hub::start().await;
    hub.kept().tells = true;
    let tablet = Tablet::of(&hub);
    let photo = tablet.photo(&[1; 100]);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(hub.kept().verified[&photo], [1; 100]);
            let photos: Vec<String> = hub.sent().into_iter().filter(|line| line.contains("blobs")).collect();
            // What was confirmed is looked at once more, behind all uploads.
            assert_eq!(photos[..4], ["POST /blobs", "PATCH /blobs/0", "POST /blobs", "PATCH /blobs/1"]);
            assert_eq!(tablet.standing.line().bytes, 0);
        })
        .await;
}

#[tokio::test]
async fn a_small_photo_goes_up_along_with_its_announcement_once() {
    let hub = Hub::start().await;
    (hub.kept().tells, hub.kept().takes_along) = (true, true);
    let tablet = Tablet::of(&hub);
    let broken = AtomicBool::new(false);
    // The line breaks at the first announcement.
    hub.rule("POST /blobs", move || (!broken.swap(true, SeqCst)).then(silence));
    let photo = tablet.photo(&[1; 100]);
    let blobs = |hub: &Hub| -> Vec<String> {
        let log = hub.kept().log.clone();
        log.into_iter().filter(|line| line.contains("along") || line.contains("/blobs")).collect()
    };
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            tablet.go_on();
            tablet.safe().await;
            assert_eq!(hub.kept().verified[&photo], [1; 100]);
            let expected =
                ["POST /blobs", "POST /blobs", "along 0", "PATCH /blobs/0", "POST /blobs", "along 100"];
            assert_eq!(blobs(&hub)[..6], expected, "what went along when the line broke does not go twice");
            tablet.pause().await;
            // It may have lost everything, and is asked before bytes are sent.
            hub.kept().log.clear();
            hub.kept().restored();
            tablet.standing.due().greet = true;
            tablet.go_on();
            tablet.line(|line| line.state == SyncState::Checking || line.photos > 0).await;
            tablet.safe().await;
            let sent = blobs(&hub);
            assert!(sent.iter().all(|line| !line.contains("PATCH") && !line.contains("along 1")), "{sent:?}");
        })
        .await;
}

#[tokio::test]
async fn what_went_along_beside_the_one_before_when_the_line_broke_does_not_go_twice() {
    let hub = Hub::start().await;
    (hub.kept().tells, hub.kept().takes_along) = (true, true);
    let tablet = Tablet::of(&hub);
    let photos = [tablet.photo(&[1; 100]), tablet.photo(&[2; 101])];
    // Two thumbnails, then two originals, two at a time: the line breaks at an original, behind all of its bytes.
    let mut announced = 0;
    hub.rule("POST /blobs", move || {
        announced += 1;
        (announced == 4).then(silence)
    });
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.trouble.is_some() || line.state == SyncState::Safe).await;
            tablet.go_on();
            tablet.safe().await;
            assert!(photos.iter().all(|photo| hub.kept().verified.contains_key(photo)));
            let log = hub.kept().log.clone();
            let along: Vec<_> =
                log.iter().filter(|line| ["along 100", "along 101"].contains(&&***line)).collect();
            assert_eq!(along.len(), 1, "{log:?}");
        })
        .await;
}

#[tokio::test]
async fn an_upload_that_ended_while_it_was_announced_again_is_no_refusal() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let photo = tablet.photo(&[1; 100]);
    hub.kept().tells = true;
    let mut answers = vec![(409, "interrupted"), (410, "expired-upload"), (404, "unknown-upload")];
    hub.rule("POST /blobs", move || answers.pop().map(|(status, code)| problem(status, code)));
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(hub.kept().verified[&photo], [1; 100]);
        })
        .await;
}

#[tokio::test]
async fn a_photo_that_went_up_beside_the_one_before_counts_when_its_turn_comes() {
    let hub = Hub::start().await;
    hub.kept().tells = true;
    let tablet = Tablet::of(&hub);
    let photos = [tablet.photo(&[1; 100]), tablet.photo(&[2; 100]), tablet.photo(&[3; 100])];
    let failed = Arc::new(AtomicBool::new(false));
    let once = Arc::clone(&failed);
    // Three thumbnails come first; the second original goes beside the first, and fails there.
    hub.rule("PATCH /blobs/4", move || (!once.swap(true, SeqCst)).then(|| problem(500, "broken")));
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert!(failed.load(SeqCst));
            assert!(photos.iter().all(|photo| hub.kept().verified.contains_key(photo)));
            let sent: Vec<String> = hub.sent().into_iter().filter(|line| line.contains("/blobs/")).collect();
            let pieces = sent.iter().filter(|line| line.starts_with("PATCH")).count();
            assert_eq!(pieces, 7, "six blobs, and one again: {sent:?}");
        })
        .await;
}

#[tokio::test]
async fn a_hub_that_verified_something_else_is_not_believed() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.photo(&[1; 100]);
    hub.rule("PATCH", || {
        let headers = [("upload-offset", "99"), ("standpipe-blob", "verified")];
        Some((StatusCode::NO_CONTENT, headers).into_response())
    });
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(tablet.standing.line().photos, 1);
            hub.behave();
            tablet.go_on();
            tablet.safe().await;
        })
        .await;
}

#[tokio::test]
async fn a_photo_that_the_hub_refuses_is_set_aside_and_the_next_goes_up() {
    let hub = Hub::start().await;
    let (world, tablet) = Tablet::with_world(&hub);
    let refused = tablet.photo(&[1; 100]);
    let good = tablet.photo(&[2; 100]);
    let creations = AtomicU32::new(0);
    // Two thumbnails come first.
    hub.rule("POST /blobs", move || {
        let at = creations.fetch_add(1, SeqCst);
        (at == 4).then(|| problem(413, "too-large"))
    });
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            let line = tablet.standing.line();
            assert_eq!((line.state, line.set_aside, line.photos), (SyncState::NeedsAttention, 1, 1));
            assert!(!hub.kept().verified.contains_key(&refused));
            assert!(hub.kept().verified.contains_key(&good));
            hub.asked();
            world.passes(Duration::from_secs(14 * 60));
            tablet.go_on();
            tablet.pause().await;
            assert!(!hub.sent().iter().any(|line| line == "POST /blobs"), "not before a while has passed");
            // Somebody asks for another try, and it is refused once more.
            let mut refuses = true;
            hub.rule("POST /blobs", move || std::mem::take(&mut refuses).then(|| problem(413, "too-large")));
            tablet.standing.due().retry = true;
            tablet.standing.wake();
            tablet.line(|line| line.set_aside == 1).await;
            tablet.pause().await;
            assert!(!hub.kept().verified.contains_key(&refused));
            // Nobody asks.
            world.passes(PAROLE);
            tablet.go_on();
            tablet.safe().await;
            assert!(hub.kept().verified.contains_key(&refused));
        })
        .await;
}

#[tokio::test]
async fn a_photo_at_which_the_hub_fails_gives_way_after_three_tries() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.photo(&[1; 100]);
    let good = tablet.photo(&[2; 100]);
    hub.rule("PATCH /blobs/2", || Some(problem(500, "broken")));
    tablet
        .play(async |tablet| {
            for _ in 0..3 {
                tablet.pause().await;
                assert_eq!(tablet.standing.line().photos, 2, "none counts before its turn");
                tablet.go_on();
            }
            tablet.pause().await;
            assert!(hub.kept().verified.contains_key(&good));
            assert_eq!(tablet.standing.line().set_aside, 1);
        })
        .await;
}

#[tokio::test]
async fn a_hub_that_is_busy_is_waited_for() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.photo(&[1; 100]);
    hub.rule("PATCH", || Some(problem(503, "busy")));
    tablet
        .play(async |tablet| {
            for _ in 0..6 {
                tablet.pause().await;
                assert_eq!(tablet.standing.line().set_aside, 0);
                tablet.go_on();
            }
            hub.behave();
            tablet.pause().await;
            tablet.go_on();
            tablet.safe().await;
        })
        .await;
}

#[tokio::test]
async fn a_vanished_and_a_damaged_file_are_set_aside_and_never_sent() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let gone = tablet.photo(b"this one vanishes");
    let longer = tablet.photo(b"this one grows");
    let other = tablet.photo(b"this one rots");
    let good = tablet.photo(b"this one is whole");
    let path = |of| tablet.store.vault().path(of, Role::Original);
    fs::remove_file(path(gone)).unwrap();
    fs::write(path(longer), b"this one grows!").unwrap();
    fs::write(path(other), b"this one rotz").unwrap();
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            let line = tablet.standing.line();
            // What is gone is not said to be safe here.
            assert_eq!((line.state, line.set_aside, line.photos), (SyncState::NeedsAttention, 3, 0));
            assert_eq!((line.lost, line.bytes), (3, 0));
            let codes: Vec<String> = tablet
                .store
                .read("looking", |conn| {
                    let mut rows =
                        conn.prepare("SELECT code FROM upload WHERE state = 'set-aside' ORDER BY 1")?;
                    let codes = rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
                    Ok::<_, crate::store::StoreError>(codes)
                })
                .unwrap();
            assert_eq!(codes, ["file-damaged", "file-damaged", "file-missing"]);
            let kept = hub.kept();
            assert!(kept.verified.contains_key(&good));
            let originals = kept.uploads.iter().filter(|upload| upload.role == "original");
            assert_eq!(originals.map(|upload| upload.sha256).collect::<Vec<_>>(), [good]);
        })
        .await;
}

#[tokio::test]
async fn a_lost_photo_that_somebody_has_seen_to_is_never_said_to_be_at_the_office() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let gone = tablet.photo(b"this one vanishes");
    fs::remove_file(tablet.store.vault().path(gone, Role::Original)).unwrap();
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.set_aside == 1).await;
            tablet.pause().await;
            assert_eq!(tablet.standing.line().state, SyncState::NeedsAttention);
            tablet.store.see_to(&[AsideId::Photo(gone)], true).unwrap();
            let line = tablet.line(|line| line.state == SyncState::SafeBut).await;
            assert_eq!((line.set_aside, line.photos, line.bytes, line.lost), (0, 0, 0, 0));
            tablet.pause().await;
            // Somebody asks: all is tried again, and there is nothing to be said of it.
            tablet.standing.due().retry = true;
            tablet.go_on();
            tablet.pause().await;
            assert_eq!(tablet.standing.line().state, SyncState::SafeBut);
            let told = tablet.told.lock().unwrap();
            assert!(told.iter().all(|line| line.state != SyncState::Safe));
            assert_eq!(told.iter().filter(|line| line.state == SyncState::NeedsAttention).count(), 1);
        })
        .await;
}

#[tokio::test]
async fn an_upload_that_the_hub_forgot_begins_again() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let photo = tablet.photo(&vec![3; 300 * KIB]);
    let (once, server) = (AtomicBool::new(false), hub.clone());
    hub.rule("PATCH /blobs/1", move || {
        if once.swap(true, SeqCst) {
            return None;
        }
        server.kept().uploads.truncate(1);
        None
    });
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert!(hub.kept().verified.contains_key(&photo));
        })
        .await;
}

/// As a hub answers that gave the upload up: once with a reason to a piece, and to a question without words.
#[tokio::test]
async fn an_upload_that_the_hub_gave_up_while_the_tablet_was_away_begins_again() {
    for asked in ["HEAD /blobs/1", "PATCH /blobs/1"] {
        let hub = Hub::start().await;
        let tablet = Tablet::of(&hub);
        let bytes: Vec<u8> = (0..300 * KIB).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
        let photo = tablet.photo(&bytes);
        let (once, server) = (AtomicBool::new(false), hub.clone());
        hub.rule("PATCH /blobs/1", move || {
            if !once.swap(true, SeqCst) {
                server.kept().cut = Some(50 * KIB);
            }
            None
        });
        tablet
            .play(async |tablet| {
                tablet.pause().await;
                assert_eq!(hub.kept().uploads[1].bytes.len(), 50 * KIB);
                hub.behave();
                let server = hub.clone();
                hub.rule(asked, move || {
                    server.kept().uploads[1].bytes.clear();
                    Some(problem(410, "expired-upload"))
                });
                hub.asked();
                tablet.go_on();
                let line = tablet.safe().await;
                assert_eq!((line.photos, line.set_aside), (0, 0));
                assert_eq!(hub.kept().verified[&photo], bytes, "{asked}");
                assert_eq!(hub.kept().uploads.len(), 3, "it was announced once more");
                let sent = hub.sent();
                let gone = sent.iter().position(|line| line == asked).unwrap();
                assert_eq!(sent[gone + 1..gone + 3], ["POST /blobs", "created original"], "{sent:?}");
            })
            .await;
    }
}

#[tokio::test]
async fn bytes_that_arrive_wrong_are_sent_once_more_then_shown_and_tried_again_unasked() {
    let hub = Hub::start().await;
    let (world, tablet) = Tablet::with_world(&hub);
    let photo = tablet.photo(&[4; 100]);
    hub.rule("PATCH /blobs/1", || Some(problem(422, "hash-mismatch")));
    hub.rule("PATCH /blobs/2", || Some(problem(422, "hash-mismatch")));
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(tablet.standing.line().set_aside, 1);
            let originals = hub.sent().iter().filter(|line| *line == "created original").count();
            assert_eq!(originals, 2);
            world.passes(PAROLE);
            tablet.go_on();
            tablet.safe().await;
            assert_eq!(hub.kept().verified[&photo], [4; 100]);
        })
        .await;
}

#[tokio::test]
async fn a_photo_is_not_safe_before_the_hub_has_verified_it() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let photo = tablet.photo(&[5; 100]);
    let states = AtomicU32::new(0);
    // The thumbnail's state is asked for first.
    hub.rule("POST /blobs/status", move || {
        let partial = axum::Json(serde_json::json!({photo.to_string(): "partial"}));
        (states.fetch_add(1, SeqCst) == 1).then(|| axum::response::IntoResponse::into_response(partial))
    });
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            let line = tablet.standing.line();
            assert_eq!((line.photos, line.bytes), (1, 0));
            assert_eq!(line.state, SyncState::Waiting);
            tablet.go_on();
            tablet.safe().await;
        })
        .await;
}

#[tokio::test]
async fn a_photo_that_the_hub_has_is_not_sent_twice() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let photo = tablet.photo(b"known");
    hub.kept().verified.insert(photo, b"known".to_vec());
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            assert!(hub.kept().uploads.iter().all(|upload| upload.role == "thumbnail"));
        })
        .await;
}

#[tokio::test]
async fn a_piece_that_goes_astray_again_and_again_does_not_keep_the_link_busy() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.photo(&[6; 100]);
    hub.rule("PATCH", || Some(problem(409, "offset")));
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            let tries = hub.sent().iter().filter(|line| line.starts_with("PATCH")).count();
            assert!(tries <= 4, "{tries}");
            record(&tablet.store);
            tablet.line(|line| line.records == 0).await;
        })
        .await;
}

#[tokio::test]
async fn a_photo_that_the_office_lost_again_goes_up_again() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let photo = tablet.photo(b"lost and found");
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            {
                let mut kept = hub.kept();
                kept.verified.clear();
                kept.uploads.clear();
                kept.epoch = uuid::Uuid::from_u128(8);
            }
            tablet.go_on();
            tablet.line(|line| line.photos == 1).await;
            tablet.safe().await;
            assert_eq!(hub.kept().verified[&photo], b"lost and found");
            assert_eq!(hub.kept().verified.len(), 2, "its thumbnail too");
        })
        .await;
}
