//! Leaving a site: it is hidden, and it goes when nothing is left to lose.

use super::*;
use crate::store::InBackup;
use crate::store::blobs::{Role, UploadKey};
use crate::sync::tests::hub::problem;
use crate::sync::tests::tablet::{photo, record};
use standpipe_domain::sync::Trouble;
use standpipe_oplog::greeting::Backups;
use std::fs;

/// A tablet of two sites that is in step with both; the second is shown.
async fn of_two() -> ([Hub; 2], Tablet) {
    let (hubs, mut tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    tablet.join(&hubs[1], 2).await;
    for n in [1, 2] {
        tablet.safe(n).await;
    }
    (hubs, tablet)
}

#[tokio::test]
async fn a_site_with_nothing_waiting_is_forgotten_whether_it_is_the_first_or_a_further_one() {
    for n in [1, 2] {
        let (_hubs, mut tablet) = of_two().await;
        tablet.sites.show(&tablet.folder(n)).unwrap();
        let folder = tablet.folder(n);
        record(&tablet.store());
        tablet.safe(n).await;
        tablet.sites.leave(&folder, 0).unwrap();
        assert_eq!(tablet.shown(), Some(name(3 - n)), "the other is shown at once");
        tablet.forgotten(n).await;
        assert_eq!(tablet.sites.show(&folder).unwrap_err().code(), "unknown-site");
        let tablet = tablet.restarted();
        assert_eq!(tablet.sites.list().len(), 1);
        assert_eq!(tablet.shown(), Some(name(3 - n)));
        let left = match n {
            1 => tablet.root.path().join("standpipe.db"),
            _ => tablet.root.path().join("sites").join(&folder),
        };
        assert!(!left.exists());
    }
}

#[tokio::test]
async fn what_waits_at_a_site_that_was_left_is_delivered_before_it_is_forgotten() {
    let (hubs, mut tablet) = of_two().await;
    cut(&hubs[1]);
    record(&tablet.store());
    let of = photo(&tablet.store(), &[1; 100]);
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.kept_for(2, Keeps::Waits).await;
    let line = tablet.line(2);
    assert!(!line.shown);
    let sync = line.sync.unwrap();
    assert_eq!((sync.records, sync.photos), (2, 1), "the list tells what waits");

    let mut tablet = tablet.restarted();
    assert_eq!(tablet.shown(), Some(name(1)));
    tablet.kept_for(2, Keeps::Waits).await;
    hubs[1].behave();
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
    assert_eq!(hubs[1].kept().ops.len(), 2);
    assert_eq!(hubs[1].kept().verified.len(), 2, "the photo and its thumbnail");
    assert!(hubs[1].kept().verified.contains_key(&of));
}

#[tokio::test]
async fn a_site_is_not_forgotten_by_what_the_office_had_said_before_it_was_left() {
    let (hubs, tablet) = of_two().await;
    // Nothing is asked any more, and the line says what was true when something was asked last.
    tablet.sites.shown().unwrap().driver.stop();
    assert_eq!(tablet.line(2).sync.unwrap().state, SyncState::Safe);
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    assert_eq!(tablet.sites.inner.forget_what_was_left(), (false, false));
    assert_eq!(tablet.line(2).leaving, Some(Keeps::Asks));

    cut(&hubs[1]);
    let mut tablet = tablet.restarted();
    tablet.until("no answer", |tablet| tablet.line(2).sync.is_some_and(|sync| sync.trouble.is_some())).await;
    assert_eq!(tablet.line(2).leaving, Some(Keeps::Asks));
    hubs[1].behave();
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
}

#[tokio::test]
async fn what_was_set_aside_keeps_a_site_that_was_left_until_it_is_taken() {
    let (hubs, mut tablet) = of_two().await;
    hubs[1].kept().quarantine = Some("not-allowed");
    record(&tablet.store());
    tablet.until("set aside", |tablet| tablet.line(2).sync.unwrap().set_aside == 1).await;
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.kept_for(2, Keeps::SetAside).await;
    let mut tablet = tablet.restarted();
    tablet.until("asked again", |tablet| tablet.line(2).sync.unwrap().last_synced.is_some()).await;
    assert_eq!(tablet.line(2).leaving, Some(Keeps::SetAside));

    // Taken back, it is shown with its remedy, as ever.
    tablet.sites.show(&tablet.folder(2)).unwrap();
    let shown = tablet.sites.shown().unwrap();
    let detail = shown.engine.sync_detail(shown.driver.line()).unwrap();
    assert_eq!((detail.set_aside.len(), detail.set_aside[0].code.as_str()), (1, "not-allowed"));
    drop(shown);
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    hubs[1].kept().quarantine = None;
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
    assert_eq!(hubs[1].kept().ops.len(), 1);
}

#[tokio::test]
async fn what_the_office_keeps_aside_keeps_no_site_once_somebody_has_seen_to_it() {
    let (hubs, mut tablet) = of_two().await;
    hubs[1].kept().quarantine = Some("sealed");
    record(&tablet.store());
    tablet.until("set aside", |tablet| tablet.line(2).sync.unwrap().set_aside == 1).await;
    see_to_all(&tablet);
    tablet.safe(2).await;
    // The office was put back to before it had heard of it: it has to have it again first.
    hubs[1].kept().aside.clear();
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.forgotten(2).await;
    assert_eq!(hubs[1].kept().aside.len(), 1);
}

#[tokio::test]
async fn a_photo_whose_file_is_gone_keeps_no_site_once_somebody_has_seen_to_it() {
    let (hubs, mut tablet) = of_two().await;
    hubs[1].rule("POST /blobs", || Some(problem(503, "stopping")));
    let of = photo(&tablet.store(), &[1; 100]);
    for role in [Role::Original, Role::Thumbnail] {
        fs::remove_file(tablet.store().vault().path(of, role)).unwrap();
    }
    hubs[1].behave();
    tablet.sites.sync_now();
    tablet.until("set aside", |tablet| tablet.line(2).sync.unwrap().set_aside == 1).await;
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.kept_for(2, Keeps::SetAside).await;
    tablet.sites.show(&tablet.folder(2)).unwrap();
    see_to_all(&tablet);
    tablet.until("safe but for it", |tablet| tablet.line(2).sync.unwrap().state == SyncState::SafeBut).await;
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.forgotten(2).await;
}

#[tokio::test]
async fn what_is_left_of_a_damaged_photo_keeps_its_site() {
    let (hubs, mut tablet) = of_two().await;
    hubs[1].rule("POST /blobs", || Some(problem(503, "stopping")));
    let of = photo(&tablet.store(), &[1; 100]);
    fs::write(tablet.store().vault().path(of, Role::Original), [1; 99]).unwrap();
    hubs[1].behave();
    tablet.sites.sync_now();
    tablet.until("set aside", |tablet| tablet.line(2).sync.unwrap().set_aside == 1).await;
    see_to_all(&tablet);
    tablet.until("safe but for it", |tablet| tablet.line(2).sync.unwrap().state == SyncState::SafeBut).await;
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.until("asked", |tablet| tablet.line(2).sync.unwrap().state == SyncState::SafeBut).await;
    assert_eq!(tablet.line(2).leaving, Some(Keeps::SetAside));
}

/// The person has seen to all that was set aside.
fn see_to_all(tablet: &Tablet) {
    let shown = tablet.sites.shown().unwrap();
    let aside = shown.engine.sync_detail(shown.driver.line()).unwrap().set_aside;
    let things: Vec<_> = aside.iter().map(|one| one.id).collect();
    assert_ne!(things, []);
    shown.engine.see_to(&things, true).unwrap();
}

#[tokio::test]
async fn a_withdrawn_tablet_keeps_the_site_that_it_left_and_says_why() {
    for records in [0, 1] {
        let (hubs, mut tablet) = of_two().await;
        hubs[1].rule("POST /sync", || Some(problem(401, "revoked")));
        hubs[1].rule("GET /sync", || Some(problem(401, "revoked")));
        (0..records).for_each(|_| record(&tablet.store()));
        tablet.sites.sync_now();
        tablet
            .until("withdrawn", |tablet| tablet.line(2).sync.unwrap().trouble == Some(Trouble::Revoked))
            .await;
        tablet.sites.leave(&tablet.folder(2), 0).unwrap();
        let why = if records > 0 { Keeps::Waits } else { Keeps::Withdrawn };
        assert_eq!(tablet.line(2).leaving, Some(why.clone()));
        let mut tablet = tablet.restarted();
        tablet.kept_for(2, why).await;
        assert_eq!(tablet.line(2).sync.unwrap().records, records);
    }
}

#[tokio::test]
async fn a_site_that_was_left_can_be_taken_back_and_stays_then() {
    let (hubs, tablet) = of_two().await;
    cut(&hubs[1]);
    record(&tablet.store());
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.sites.show(&tablet.folder(2)).unwrap();
    let mut tablet = tablet.restarted();
    assert_eq!((tablet.shown(), tablet.line(2).leaving), (Some(name(2)), None));
    hubs[1].behave();
    tablet.sites.sync_now();
    tablet.safe(2).await;
    // One that is left after it is looked at by the same look.
    tablet.sites.leave(&tablet.folder(1), 0).unwrap();
    tablet.forgotten(1).await;
    assert_eq!(tablet.line(2).leaving, None);
}

#[tokio::test]
async fn texts_that_were_typed_and_not_recorded_are_lost_only_when_somebody_agreed() {
    let (_hubs, mut tablet) = of_two().await;
    let folder = tablet.folder(2);
    let engine = tablet.sites.shown().unwrap().engine;
    engine.keep_draft("note", "漏水").unwrap();
    drop(engine);
    tablet.sites.leave(&folder, 0).unwrap();
    tablet.kept_for(2, Keeps::Drafts).await;
    tablet.sites.sync_now();
    tablet.kept_for(2, Keeps::Drafts).await;
    assert_eq!(tablet.line(2).drafts, 1);
    tablet.sites.leave(&folder, 1).unwrap();
    tablet.forgotten(2).await;
}

#[tokio::test]
async fn a_copy_of_a_damaged_database_is_not_forgotten_in_silence() {
    let (_hubs, mut tablet) = of_two().await;
    let folder = tablet.folder(2);
    let copy = tablet.root.path().join("sites").join(&folder).join("standpipe.db.damaged-20230701T010000Z");
    fs::write(&copy, "what could not be read").unwrap();
    tablet.sites.leave(&folder, 0).unwrap();
    let why = Keeps::DamagedCopy { path: copy.display().to_string() };
    tablet.kept_for(2, why.clone()).await;
    let mut tablet = tablet.restarted();
    tablet.safe(2).await;
    assert_eq!(tablet.line(2).leaving, Some(why));
    fs::remove_file(&copy).unwrap();
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
}

#[tokio::test]
async fn whoever_leaves_their_only_site_can_join_another_while_it_still_sends() {
    let (hubs, mut tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    cut(&hubs[0]);
    record(&tablet.store());
    tablet.sites.leave(&tablet.folder(1), 0).unwrap();
    assert_eq!(tablet.shown(), None, "a tablet that has joined nothing");
    tablet.kept_for(1, Keeps::Waits).await;
    let mut tablet = tablet.restarted();
    assert_eq!(tablet.shown(), None);
    tablet.join(&hubs[1], 2).await;
    assert_eq!(tablet.shown(), Some(name(2)));
    hubs[0].behave();
    tablet.sites.sync_now();
    tablet.forgotten(1).await;
    assert_eq!(hubs[0].kept().ops.len(), 1);
    let tablet = tablet.restarted();
    assert_eq!((tablet.shown(), tablet.sites.list().len()), (Some(name(2)), 1));
}

#[tokio::test]
async fn a_site_is_not_forgotten_while_something_is_asked_of_it() {
    let (hubs, mut tablet) = of_two().await;
    let busy = tablet.sites.shown().unwrap().engine;
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    let is_kept_by_this_alone = |tablet: &Tablet| tablet.sites.inner.forget_what_was_left() == (false, true);
    while !is_kept_by_this_alone(&tablet) {
        tokio::task::yield_now().await;
    }
    assert!(tablet.find(2).is_some());
    record(busy.store());
    tablet.until("there", |_| !busy.store().anything_waits().unwrap()).await;
    tablet.safe(2).await;
    drop(busy);
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
    assert_eq!(hubs[1].kept().ops.len(), 1, "what was recorded to the last went up");
}

#[tokio::test]
async fn a_photo_that_the_office_has_lost_since_goes_up_once_more_before_the_site_is_forgotten() {
    let (hubs, mut tablet) = of_two().await;
    let of = photo(&tablet.store(), &[1; 100]);
    tablet.until("there", |tablet| tablet.line(2).sync.unwrap().photos == 0).await;
    tablet.safe(2).await;
    // Nothing about the hub is another: it has found the photo spoilt.
    hubs[1].kept().verified.clear();
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.forgotten(2).await;
    assert!(hubs[1].kept().verified.contains_key(&of));
}

#[tokio::test]
async fn a_site_stays_until_a_backup_is_whole_that_began_after_everything_was_there() {
    let (hubs, mut tablet) = of_two().await;
    // Two were made; a third is being made while the tablet sends.
    hubs[1].kept().backups = Backups { begun: 3, whole: 2 };
    let of = photo(&tablet.store(), &[1; 100]);
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.kept_for(2, Keeps::Backup).await;
    assert!(hubs[1].kept().verified.contains_key(&of));
    // The one that had begun holds the photo perhaps, and perhaps not.
    hubs[1].kept().backups = Backups { begun: 4, whole: 3 };
    let mut tablet = tablet.restarted();
    tablet.kept_for(2, Keeps::Backup).await;
    hubs[1].kept().backups = Backups { begun: 4, whole: 4 };
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
}

/// Everything is there, and the tablet has asked which backups had begun by then.
async fn noted(tablet: &mut Tablet) {
    tablet.until("there", |tablet| !tablet.store().anything_waits().unwrap()).await;
    tablet.safe(2).await;
    tablet.sites.sync_now();
    tablet.until("noted", |tablet| tablet.store().in_backup().unwrap() == InBackup::NotYet).await;
}

#[tokio::test]
async fn whatever_goes_up_once_more_waits_for_another_backup() {
    let (hubs, mut tablet) = of_two().await;
    hubs[1].kept().backups = Backups { begun: 1, whole: 1 };
    let of = photo(&tablet.store(), &[1; 100]);
    noted(&mut tablet).await;
    // The next backup finds the photo spoilt.
    hubs[1].kept().verified.remove(&of);
    hubs[1].kept().backups = Backups { begun: 2, whole: 2 };
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.kept_for(2, Keeps::Backup).await;
    assert!(hubs[1].kept().verified.contains_key(&of));
    hubs[1].kept().backups = Backups { begun: 3, whole: 3 };
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
}

#[tokio::test]
async fn a_photo_that_a_backup_found_spoilt_is_not_forgotten_with_the_next() {
    let (hubs, mut tablet) = of_two().await;
    hubs[1].kept().backups = Backups { begun: 1, whole: 1 };
    let of = photo(&tablet.store(), &[1; 100]);
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.kept_for(2, Keeps::Backup).await;
    // The second says so and does not count; the third knows nothing of it any more.
    hubs[1].kept().verified.remove(&of);
    hubs[1].kept().backups = Backups { begun: 3, whole: 3 };
    tablet.sites.sync_now();
    tablet.until("sent again", |_| hubs[1].kept().verified.contains_key(&of)).await;
    tablet.kept_for(2, Keeps::Backup).await;
    hubs[1].kept().backups = Backups { begun: 4, whole: 4 };
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
}

#[tokio::test]
async fn an_office_that_makes_no_backups_any_more_is_not_waited_for() {
    let (hubs, mut tablet) = of_two().await;
    hubs[1].kept().backups = Backups { begun: 9, whole: 9 };
    photo(&tablet.store(), &[1; 100]);
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.kept_for(2, Keeps::Backup).await;
    hubs[1].kept().backups = Backups::default();
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
}

#[tokio::test]
async fn what_a_restored_office_tells_of_backups_counts_anew() {
    let (hubs, mut tablet) = of_two().await;
    hubs[1].kept().backups = Backups { begun: 1, whole: 1 };
    let of = photo(&tablet.store(), &[1; 100]);
    noted(&mut tablet).await;
    hubs[1].kept().restored();
    hubs[1].kept().backups = Backups { begun: 2, whole: 2 };
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    tablet.kept_for(2, Keeps::Backup).await;
    assert!(hubs[1].kept().verified.contains_key(&of));
    hubs[1].kept().backups = Backups { begun: 3, whole: 3 };
    tablet.sites.sync_now();
    tablet.forgotten(2).await;
}

#[tokio::test]
async fn a_small_picture_that_was_set_aside_keeps_a_site_too() {
    let (hubs, mut tablet) = of_two().await;
    let of = photo(&tablet.store(), &[1; 100]);
    tablet.until("there", |tablet| tablet.line(2).sync.unwrap().photos == 0).await;
    tablet.safe(2).await;
    tablet.store().upload_set_aside(UploadKey { of, role: Role::Thumbnail }, "hub-fault").unwrap();
    tablet.sites.inner.all_open()[1].driver.stop();
    tablet.sites.leave(&tablet.folder(2), 0).unwrap();
    assert_eq!(tablet.line(2).leaving, Some(Keeps::Waits), "it is nowhere else");
    let mut tablet = tablet.restarted();
    tablet.forgotten(2).await;
    drop(hubs);
}
