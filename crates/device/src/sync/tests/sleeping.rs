//! The tablet sleeps, or is away, and comes back: its clock went on, and the time that pauses are counted in did not.

use super::hub::{BEHIND, Hub, silence};
use super::tablet::{Tablet, record};
use crate::world::{TestWorld, World};
use standpipe_domain::ids::Millis;
use standpipe_domain::sync::SyncState;
use std::sync::Arc;
use std::time::Duration;

/// How long a night is, in milliseconds.
const NIGHT: i64 = 8 * 60 * 60 * 1_000;

fn asleep(world: &TestWorld) {
    world.set_now(Millis(world.now().0 + NIGHT));
}

#[tokio::test]
async fn after_a_sleep_the_hub_is_greeted_before_anything_goes_up_and_the_clock_is_measured_anew() {
    let hub = Hub::start().await;
    let (world, tablet) = Tablet::with_world(&hub);
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            while hub.listeners() == 0 {
                tokio::task::yield_now().await;
            }
            hub.asked();
            let told = tablet.told.lock().unwrap().len();
            asleep(&world);
            // The two clocks went on by their own ideas of a second.
            hub.kept().now.0 += NIGHT + 20_000;

            record(&tablet.store);
            tablet.line(|line| line.records == 1).await;
            tablet.safe().await;
            let mut asked = hub.asked();
            // The line that it listened on may lead nowhere any more.
            while !asked.contains(&"GET /events".to_owned()) {
                tokio::task::yield_now().await;
                asked.extend(hub.asked());
            }
            assert_eq!(asked[0], "POST /sync/hello", "{asked:?}");
            assert_eq!(hub.kept().ops.len(), 1);
            let ahead = tablet.clock_ahead().unwrap();
            assert!((BEHIND - 20_000..BEHIND - 19_000).contains(&ahead), "{ahead}");
            let told = &tablet.told.lock().unwrap()[told..];
            assert!(told.iter().all(|line| line.trouble.is_none()), "{told:?}");
            assert!(told.iter().all(|line| line.records == 0 || line.state != SyncState::Safe), "{told:?}");
        })
        .await;
}

#[tokio::test]
async fn a_night_between_a_greeting_and_its_answer_is_not_taken_for_the_clocks_fault() {
    let hub = Hub::start().await;
    let (world, tablet) = Tablet::with_world(&hub);
    let mut nights = vec![Arc::clone(&world)];
    let kept = hub.clone();
    hub.rule("POST /sync/hello", move || {
        if let Some(world) = nights.pop() {
            asleep(&world);
            kept.kept().now.0 += NIGHT;
        }
        None
    });
    tablet
        .play(async |tablet| {
            tablet.in_step().await;
            let ahead = tablet.clock_ahead().expect("another greeting has measured it");
            assert!((BEHIND..BEHIND + 1_000).contains(&ahead), "{ahead}");
            record(&tablet.store);
            assert_eq!(tablet.offset_recorded(), Some(ahead));
        })
        .await;
}

#[tokio::test]
async fn whoever_comes_back_is_served_at_once_and_should_that_be_too_early_soon() {
    let hub = Hub::start().await;
    hub.rule("POST /sync", || Some(silence()));
    hub.rule("GET /sync", || Some(silence()));
    let tablet = Tablet::of(&hub);
    record(&tablet.store);
    tablet
        .play(async |tablet| {
            while tablet.pause().await < Duration::from_secs(30) {
                tablet.go_on();
            }
            // From here on no pause is ever over.
            tablet.standing.come_back();
            let soon = tablet.pause().await;
            assert!((1_000..=2_000).contains(&soon.as_millis()), "{soon:?}");
            hub.behave();
            tablet.standing.come_back();
            tablet.safe().await;
            tablet.pause().await;
            hub.asked();
            tablet.standing.come_back();
            tablet.pause().await;
            let asked = hub.asked();
            assert!(asked.contains(&"POST /sync/hello".to_owned()), "{asked:?}");
            assert!(asked.iter().any(|line| line.starts_with("GET /sync/pull")), "{asked:?}");
        })
        .await;
}
