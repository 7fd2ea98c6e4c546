//! Originals that wait by the person's choice, and everything else that does not.

use super::hub::{Hub, silence};
use super::tablet::{Tablet, record};
use standpipe_domain::hold::{Battery, Choices, Held, Hold, Network, Surroundings};
use standpipe_domain::ids::Sha256;
use standpipe_domain::sync::{SyncState, Trouble};

const WIFI: Choices = Choices { wait_for_wifi: true, wait_for_battery: false };
const METERED: Surroundings = Surroundings { network: Network::Metered, battery: Battery::Unknown };
const FREE: Surroundings = Surroundings { network: Network::Unmetered, battery: Battery::Unknown };

/// Which blobs the hub holds whole, by what they are.
fn arrived(hub: &Hub, photo: Sha256) -> (bool, bool) {
    let kept = hub.kept();
    let thumbnail = kept.uploads.iter().find(|upload| upload.role == "thumbnail");
    let small = thumbnail.is_some_and(|upload| kept.verified.contains_key(&upload.sha256));
    (small, kept.verified.contains_key(&photo))
}

#[tokio::test]
async fn on_a_metered_network_originals_wait_and_nothing_else_and_go_once_it_is_metered_no_more() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.store.choose(WIFI).unwrap();
    tablet.standing.surround(METERED);
    record(&tablet.store);
    let photo = tablet.photo(&[1; 100]);
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(arrived(&hub, photo), (true, false));
            let line = tablet.standing.line();
            let held = Held { why: Hold::Network, photos: 1, bytes: 100, released: false };
            assert_eq!((line.state, line.records, line.photos), (SyncState::Waiting, 0, 1));
            assert_eq!((line.held, line.surroundings, line.trouble), (Some(held), METERED, None));
            assert_eq!(line.last_synced, None, "not everything has arrived");
            // What is recorded now goes at once all the same.
            record(&tablet.store);
            tablet.line(|line| line.records == 1).await;
            tablet.line(|line| line.records == 0).await;
            assert_eq!(arrived(&hub, photo), (true, false));

            tablet.standing.surround(FREE);
            let line = tablet.safe().await;
            assert_eq!((line.held, arrived(&hub, photo)), (None, (true, true)));
        })
        .await;
}

#[tokio::test]
async fn once_the_network_is_back_nobody_waits_for_the_next_try() {
    let hub = Hub::start().await;
    hub.rule("POST /sync", || Some(silence()));
    let tablet = Tablet::of(&hub);
    tablet.standing.surround(METERED);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(tablet.standing.line().trouble, Some(Trouble::NoAnswer));
            hub.behave();
            // The pause goes on: only the system's word ends it.
            tablet.standing.surround(FREE);
            tablet.safe().await;
        })
        .await;
}

#[tokio::test]
async fn what_the_system_does_not_say_and_nobody_chose_holds_nothing_back() {
    for (choices, surroundings) in
        [(WIFI, Surroundings::default()), (WIFI, FREE), (Choices::default(), METERED)]
    {
        let hub = Hub::start().await;
        let tablet = Tablet::of(&hub);
        tablet.store.choose(choices).unwrap();
        tablet.standing.surround(surroundings);
        let photo = tablet.photo(&[1; 100]);
        tablet
            .play(async |tablet| {
                tablet.safe().await;
                assert_eq!(arrived(&hub, photo), (true, true), "{choices:?} {surroundings:?}");
            })
            .await;
    }
}

#[tokio::test]
async fn what_was_chosen_to_wait_waits_until_the_surroundings_were_told() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.store.choose(WIFI).unwrap();
    let photo = tablet.photo(&[1; 100]);
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(arrived(&hub, photo), (true, false));
            tablet.standing.surround(Surroundings::default());
            tablet.safe().await;
            assert_eq!(arrived(&hub, photo), (true, true));
        })
        .await;
}

#[tokio::test]
async fn a_photo_that_is_half_way_waits_at_its_next_piece_and_goes_on_there() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.store.choose(WIFI).unwrap();
    tablet.standing.surround(FREE);
    let bytes: Vec<u8> = (0..600_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let photo = tablet.photo(&bytes);
    let standing = std::sync::Arc::clone(&tablet.standing);
    let mut pieces = 0;
    hub.rule("PATCH /blobs/1", move || {
        pieces += 1;
        if pieces == 2 {
            standing.surround(METERED);
        }
        None
    });
    tablet
        .play(async |tablet| {
            let line = tablet.line(|line| line.held.is_some()).await;
            assert_eq!(line.held.unwrap().why, Hold::Network);
            tablet.pause().await;
            let here = hub.kept().uploads[1].bytes.len();
            assert!(here > 0 && here < bytes.len(), "{here}");
            let left = tablet.standing.line().held.unwrap().bytes;
            assert_eq!(left, (bytes.len() - here) as u64);
            tablet.standing.surround(FREE);
            tablet.safe().await;
            assert!(hub.kept().verified[&photo] == bytes);
            assert_eq!(hub.kept().uploads.len(), 2, "nothing began anew");
        })
        .await;
}

#[tokio::test]
async fn what_waits_goes_all_the_same_when_the_person_says_so_and_only_this_once() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.store.choose(WIFI).unwrap();
    tablet.standing.surround(METERED);
    let first = tablet.photo(&[1; 100]);
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(arrived(&hub, first), (true, false));
            tablet.standing.release(true);
            tablet.line(|line| line.held.is_some_and(|held| held.released)).await;
            tablet.safe().await;
            assert_eq!(arrived(&hub, first), (true, true));

            let second = tablet.photo(&[2; 100]);
            tablet.pause().await;
            let line = tablet.standing.line();
            assert!(!hub.kept().verified.contains_key(&second));
            assert_eq!(line.held.map(|held| (held.photos, held.released)), Some((1, false)));
            // The choice is taken back: it goes by that, too.
            tablet.store.choose(Choices::default()).unwrap();
            tablet.safe().await;
        })
        .await;
}

#[tokio::test]
async fn on_a_low_battery_originals_wait_for_the_charger() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.store.choose(Choices { wait_for_battery: true, ..WIFI }).unwrap();
    tablet.standing.surround(Surroundings { battery: Battery::Low, ..FREE });
    let photo = tablet.photo(&[1; 100]);
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            assert_eq!(arrived(&hub, photo), (true, false));
            assert_eq!(tablet.standing.line().held.unwrap().why, Hold::Battery);
            tablet.standing.surround(Surroundings { battery: Battery::Enough, ..FREE });
            tablet.safe().await;
        })
        .await;
}

#[tokio::test]
async fn what_was_set_aside_does_not_count_as_waiting_for_a_network() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    tablet.store.choose(WIFI).unwrap();
    tablet.standing.surround(FREE);
    let photo = tablet.photo(b"this one vanishes");
    std::fs::remove_file(tablet.store.vault().path(photo, crate::store::blobs::Role::Original)).unwrap();
    tablet
        .play(async |tablet| {
            tablet.pause().await;
            tablet.standing.surround(METERED);
            let line = tablet.standing.line();
            assert_eq!((line.state, line.set_aside, line.held), (SyncState::NeedsAttention, 1, None));
        })
        .await;
}
