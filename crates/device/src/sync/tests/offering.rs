//! What was set aside, offered again.

use super::hub::{Hub, problem};
use super::tablet::{Tablet, record};
use crate::sync::pace::PAROLE;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use standpipe_domain::sync::{AsideId, SyncState, Trouble};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// An answer that breaks off.
fn broken() -> Response {
    let cut = async { Err::<Bytes, _>(std::io::Error::other("cut")) };
    Body::from_stream(futures::stream::once(cut)).into_response()
}

#[tokio::test]
async fn an_offer_at_which_the_line_broke_is_made_again_and_holds_nothing_up() {
    let hub = Hub::start().await;
    let tablet = Tablet::refused_by(&hub);
    tablet
        .play(async |tablet| {
            tablet.set_aside().await;
            hub.kept().quarantine = None;
            // The line breaks at this request, and at this one only.
            hub.rule("POST /sync/offer", || Some(broken()));
            tablet.standing.due().offer = true;
            record(&tablet.store);
            tablet.line(|line| line.trouble == Some(Trouble::NoAnswer)).await;
            tablet.pause().await;
            let line = tablet.standing.line();
            assert_eq!((line.records, line.set_aside), (0, 1), "what was recorded went before it");
            // It breaks again, and by now everything else has gone before it.
            let photo = tablet.photo(&[1; 100]);
            hub.asked();
            tablet.line(|line| line.trouble == Some(Trouble::NoAnswer) && line.photos == 0).await;
            tablet.pause().await;
            assert!(hub.kept().verified.contains_key(&photo));
            assert_eq!(hub.sent().last().unwrap(), "POST /sync/offer");
            hub.behave();
            tablet.go_on();
            tablet.line(|line| line.set_aside == 0 && line.state == SyncState::Safe).await;
            assert_eq!(hub.kept().ops.len(), 3);
        })
        .await;
}

#[tokio::test]
async fn what_somebody_has_seen_to_is_offered_as_ever_and_counts_once_it_is_taken() {
    let hub = Hub::start().await;
    let tablet = Tablet::refused_by(&hub);
    tablet
        .play(async |tablet| {
            tablet.set_aside().await;
            let op_id = tablet.store.set_aside_ids().unwrap()[0];
            tablet.store.see_to(&[AsideId::Record(op_id)], true).unwrap();
            let line = tablet.safe().await;
            assert_eq!((line.set_aside, hub.kept().ops.len()), (0, 0), "the office keeps it aside");
            tablet.pause().await;
            hub.kept().quarantine = None;
            tablet.standing.due().offer = true;
            tablet.go_on();
            while !tablet.store.set_aside_ids().unwrap().is_empty() {
                tablet.line(|_| true).await;
            }
            assert_eq!(hub.kept().ops.len(), 1);
        })
        .await;
}

#[tokio::test]
async fn an_offer_at_which_the_hub_fails_is_not_made_again_unasked() {
    let hub = Hub::start().await;
    let tablet = Tablet::refused_by(&hub);
    tablet
        .play(async |tablet| {
            tablet.set_aside().await;
            hub.rule("POST /sync/offer", || Some(problem(500, "broken")));
            tablet.standing.due().offer = true;
            tablet.go_on();
            tablet.pause().await;
            assert!(!tablet.standing.due().offer);
        })
        .await;
}

#[tokio::test]
async fn what_the_office_set_aside_in_an_earlier_chain_and_lost_is_pushed_anew() {
    let hub = Hub::start().await;
    let tablet = Tablet::refused_by(&hub);
    tablet
        .play(async |tablet| {
            tablet.set_aside().await;
            tablet.store.renumber(tablet.store.chain_state().unwrap().id, 7).unwrap();
            {
                // Put back to before it was pushed, and the person may do it by now.
                let mut kept = hub.kept();
                (kept.epoch, kept.quarantine) = (uuid::Uuid::from_u128(0xe9), None);
                kept.aside.clear();
            }
            tablet.standing.due().greet = true;
            tablet.go_on();
            tablet.line(|line| line.set_aside == 0 && line.state == SyncState::Safe).await;
            assert_eq!(hub.kept().ops.len(), 1);
        })
        .await;
}

#[tokio::test]
async fn what_was_set_aside_is_offered_again_unasked_a_quarter_of_an_hour_later_and_not_before() {
    let hub = Hub::start().await;
    hub.kept().quarantine = Some("not-allowed");
    let (world, tablet) = Tablet::with_world(&hub);
    record(&tablet.store);
    let offers = |hub: &Hub| hub.asked().iter().filter(|line| *line == "POST /sync/offer").count();
    tablet
        .play(async |tablet| {
            tablet.set_aside().await;
            hub.asked();
            for (passes, offered) in [(PAROLE, 1), (Duration::ZERO, 0), (14 * MINUTE, 0), (MINUTE, 1)] {
                world.passes(passes);
                tablet.go_on();
                tablet.pause().await;
                assert_eq!(offers(&hub), offered, "after {passes:?}");
            }
            // The person was given the role meanwhile.
            hub.kept().quarantine = None;
            world.passes(PAROLE);
            tablet.go_on();
            tablet.line(|line| line.set_aside == 0 && line.state == SyncState::Safe).await;
            assert_eq!(hub.kept().ops.len(), 1);
        })
        .await;
}
