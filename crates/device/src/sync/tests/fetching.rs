//! What others photographed.

use super::hub::{Hub, problem};
use super::tablet::{Tablet, evidence};
use crate::previews::Previews;
use crate::store::Store;
use crate::store::blobs::Role;
use crate::sync::NotFetched;
use crate::sync::fetch::Order;
use standpipe_domain::evidence::Whereabouts;
use standpipe_domain::ids::Sha256;
use standpipe_domain::record::{entity, set};
use standpipe_domain::sync::SyncState;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::pen::Draft;
use std::fs;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// A photo of another tablet, which the hub knows of.
pub fn of_a_colleague(hub: &Hub, bytes: &[u8]) -> Sha256 {
    let of = sha256(bytes);
    let colleague = Tablet::of(hub);
    let value = serde_json::to_value(evidence(of, bytes.len())).unwrap();
    colleague
        .store
        .write("adding a photo", |writing| {
            writing.record(Draft::add(entity::CHECK, Uuid::from_u128(6), set::PHOTOS, value))
        })
        .map_err(|error: crate::store::StoreError| error)
        .unwrap();
    let body = colleague.store.outbox(0).unwrap().bodies.remove(0);
    let op: standpipe_oplog::op::Op = serde_json::from_str(&body).unwrap();
    hub.kept().ops.push((op.op_id, body.into()));
    of
}

pub async fn fetch(tablet: &Tablet, sha256: Sha256) -> Result<(), NotFetched> {
    let (answer, receiver) = oneshot::channel();
    tablet.orders.send(Order { sha256, answer, progress: Box::new(|_| ()) }).ok().unwrap();
    receiver.await.unwrap()
}

#[tokio::test]
async fn thumbnails_of_others_are_fetched_after_a_pull() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"their photo");
    hub.kept().thumbnails.insert(of, b"small".to_vec());
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(fs::read(tablet.store.vault().path(of, Role::Thumbnail)).unwrap(), b"small");
            assert_eq!(tablet.store.wanted().unwrap(), []);
        })
        .await;
}

#[tokio::test]
async fn an_original_without_a_thumbnail_is_fetched_and_gets_its_pictures_here() {
    let hub = Hub::start().await;
    let photo = crate::tests::jpeg(5);
    let of = of_a_colleague(&hub, &photo);
    hub.kept().verified.insert(of, photo.clone());
    Tablet::of(&hub)
        .play(async |tablet| {
            let previews = Previews::start(&tablet.store);
            let original = tablet.store.vault().path(of, Role::Original);
            while !original.exists() {
                tablet.pause().await;
                tablet.go_on();
            }
            previews.finish();
            assert_eq!(fs::read(original).unwrap(), photo);
            assert!(tablet.store.vault().path(of, Role::Thumbnail).exists());
        })
        .await;
}

#[tokio::test]
async fn a_thumbnail_that_is_none_ends_no_turn() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"their photo");
    hub.kept().thumbnails.insert(of, vec![0; 5 << 20]);
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(tablet.standing.line().trouble, None);
        })
        .await;
}

#[tokio::test]
async fn a_thumbnail_that_is_none_does_not_tell_that_the_original_is_at_the_office() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"their photo");
    hub.kept().thumbnails.insert(of, vec![0; 5 << 20]);
    let tablet = Tablet::of(&hub);
    // Larger than what is fetched unasked, so nothing else tells.
    hub.kept()
        .ops
        .iter_mut()
        .for_each(|(_, body)| *body = body.replace("\"bytes\":11", "\"bytes\":99999999"));
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            assert_eq!(hub.asked().iter().filter(|line| line.ends_with("/thumb")).count(), 1);
            assert_eq!(whereabouts(tablet), Whereabouts::Elsewhere { at_office: None, by: None });
        })
        .await;
}

#[tokio::test]
async fn a_thumbnail_that_is_not_there_yet_is_not_asked_for_at_each_turn() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"their photo");
    Tablet::of(&hub)
        .play(async |tablet| {
            for _ in 0..3 {
                tablet.pause().await;
                assert_eq!(tablet.store.wanted().unwrap(), [of]);
                assert_eq!(tablet.standing.line().trouble, None);
                tablet.go_on();
            }
            let asked = hub.asked().into_iter().filter(|line| line.ends_with("/thumb")).count();
            assert_eq!(asked, 1);
        })
        .await;
}

#[tokio::test]
async fn an_original_is_fetched_in_spite_of_cuts_and_is_the_right_one() {
    let hub = Hub::start().await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let of = of_a_colleague(&hub, &bytes);
    hub.kept().verified.insert(of, bytes.clone());
    hub.kept().thumbnails.insert(of, b"small".to_vec());
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            hub.kept().cut = Some(120_000);
            fetch(tablet, of).await.unwrap();
            assert_eq!(fs::read(tablet.store.vault().path(of, Role::Original)).unwrap(), bytes);
            let ranges: Vec<_> = hub.asked().into_iter().filter(|line| line.starts_with("range")).collect();
            assert_eq!(ranges, ["range none", "range bytes=120000-"]);
            fetch(tablet, of).await.unwrap();
            assert!(!hub.asked().iter().any(|line| line.starts_with("range")), "it is here already");
        })
        .await;
}

#[tokio::test]
async fn an_original_that_did_not_come_whole_goes_on_where_it_was_when_somebody_asks_again() {
    let hub = Hub::start().await;
    let bytes: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let of = of_a_colleague(&hub, &bytes);
    hub.kept().verified.insert(of, bytes.clone());
    hub.kept().thumbnails.insert(of, b"small".to_vec());
    let mut asked = 0;
    hub.rule("GET /blobs", move || {
        asked += 1;
        // First comes the thumbnail, then the original until it is cut.
        (asked == 3).then(|| problem(503, "busy"))
    });
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            hub.kept().cut = Some(120_000);
            assert_eq!(fetch(tablet, of).await.unwrap_err().code(), "hub-busy");
            let (told, mut percent) = mpsc::unbounded_channel();
            let progress = Box::new(move |now| told.send(now).unwrap_or_default());
            let (answer, receiver) = oneshot::channel();
            tablet.orders.send(Order { sha256: of, progress, answer }).ok().unwrap();
            receiver.await.unwrap().unwrap();
            assert_eq!(fs::read(tablet.store.vault().path(of, Role::Original)).unwrap(), bytes);
            let ranges: Vec<_> = hub.asked().into_iter().filter(|line| line.starts_with("range")).collect();
            assert_eq!(ranges.last().unwrap(), "range bytes=120000-");
            let mut all = vec![];
            while let Some(now) = percent.recv().await {
                all.push(now);
            }
            assert!(all[0] > 60 && all.is_sorted() && all.last() == Some(&100), "{all:?}");
        })
        .await;
}

/// Where the only photo is.
fn whereabouts(tablet: &Tablet) -> Whereabouts {
    where_is(&tablet.store)
}

pub fn where_is(store: &Store) -> Whereabouts {
    store
        .read("looking", |conn| {
            let held = crate::store::query::members_of(conn, entity::CHECK, Uuid::from_u128(6), set::PHOTOS)?;
            crate::store::query::held_view(conn, &held[0])
        })
        .map_err(|error: crate::store::StoreError| error)
        .unwrap()
        .whereabouts
}

#[tokio::test]
async fn a_photo_that_is_elsewhere_says_whether_the_office_has_it_as_the_office_says() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"their photo");
    let elsewhere = |at_office| Whereabouts::Elsewhere { at_office, by: None };
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(whereabouts(tablet), elsewhere(Some(false)));
            assert_eq!(fetch(tablet, of).await.unwrap_err().code(), "not-here-yet");
            hub.kept().verified.insert(of, b"their photo".to_vec());
            fetch(tablet, of).await.unwrap();
            assert_eq!(whereabouts(tablet), Whereabouts::SafeAtOffice);
        })
        .await;
}

#[tokio::test]
async fn a_photo_that_was_fetched_and_that_the_office_has_lost_goes_up_from_here() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"their photo");
    hub.kept().verified.insert(of, b"their photo".to_vec());
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            fetch(tablet, of).await.unwrap();
            assert_eq!(whereabouts(tablet), Whereabouts::SafeAtOffice);
            tablet.pause().await;
            // A hub of another epoch may have lost it; until it is asked, nobody knows.
            hub.kept().epoch = Uuid::from_u128(8);
            let store = Arc::clone(&tablet.store);
            // A turn that is not over yet may ask before the greeting.
            let before = Arc::new(std::sync::Mutex::new(vec![]));
            let seen = Arc::clone(&before);
            hub.rule("POST /blobs/status", move || {
                seen.lock().unwrap().push(where_is(&store));
                None
            });
            tablet.standing.due().greet = true;
            tablet.go_on();
            tablet.line(|line| line.state == SyncState::Checking).await;
            tablet.safe().await;
            assert!(before.lock().unwrap().contains(&Whereabouts::SafeHere), "{before:?}");
            assert_eq!(whereabouts(tablet), Whereabouts::SafeAtOffice, "it is there after all");

            hub.kept().verified.remove(&of);
            hub.kept().epoch = Uuid::from_u128(9);
            tablet.standing.due().greet = true;
            tablet.go_on();
            while !hub.kept().verified.contains_key(&of) {
                tablet.pause().await;
                tablet.go_on();
            }
            tablet.safe().await;
            assert_eq!(hub.kept().verified[&of], b"their photo");
            assert_eq!(whereabouts(tablet), Whereabouts::SafeAtOffice);
        })
        .await;
}

#[tokio::test]
async fn once_the_thumbnail_has_come_the_original_may_have_come_too() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"their photo");
    hub.kept().thumbnails.insert(of, b"small".to_vec());
    let tablet = Tablet::of(&hub);
    let store = Arc::clone(&tablet.store);
    hub.rule("GET /blobs", move || {
        // As if it had been asked for before.
        store.office_has(of, false).unwrap();
        None
    });
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            tablet.pause().await;
            assert_eq!(whereabouts(tablet), Whereabouts::Elsewhere { at_office: None, by: None });
        })
        .await;
}

#[tokio::test]
async fn the_large_picture_is_made_once_the_original_has_come() {
    let hub = Hub::start().await;
    let photo = crate::tests::jpeg(5);
    let of = of_a_colleague(&hub, &photo);
    hub.kept().verified.insert(of, photo.clone());
    hub.kept().thumbnails.insert(of, b"small".to_vec());
    Tablet::of(&hub)
        .play(async |tablet| {
            let previews = Previews::start(&tablet.store);
            tablet.safe().await;
            assert!(!tablet.store.vault().preview(of).exists());
            fetch(tablet, of).await.unwrap();
            previews.finish();
            assert!(tablet.store.vault().preview(of).exists());
        })
        .await;
}

#[tokio::test]
async fn other_bytes_than_were_asked_for_are_not_kept() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"the right ones");
    hub.kept().verified.insert(of, b"the wrong ones".to_vec());
    hub.kept().thumbnails.insert(of, b"small".to_vec());
    Tablet::of(&hub)
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(fetch(tablet, of).await.unwrap_err().code(), "hash-mismatch");
            assert!(!tablet.store.vault().path(of, Role::Original).exists());
            let unknown = sha256(b"never seen");
            assert_eq!(fetch(tablet, unknown).await.unwrap_err().code(), "not-here-yet");
        })
        .await;
}

#[tokio::test]
async fn without_an_office_nothing_is_fetched() {
    Tablet::new()
        .play(async |tablet| {
            assert_eq!(fetch(tablet, sha256(b"any")).await.unwrap_err().code(), "no-answer");
        })
        .await;
}
