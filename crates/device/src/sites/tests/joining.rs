//! Joining, beside what is here already, and which site is shown.

use super::super::folder::Folder;
use super::*;
use crate::identity::{Identity, Seed};
use crate::sync::tests::hub::problem;
use crate::sync::tests::tablet::record;
use standpipe_domain::hold::{Battery, Choices, Network, Surroundings};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

const BOTH: Choices = Choices { wait_for_wifi: true, wait_for_battery: true };

#[tokio::test]
async fn a_second_site_is_joined_beside_the_first_which_goes_on_sending() {
    let (hubs, mut tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    cut(&hubs[0]);
    record(&tablet.store());
    tablet.join(&hubs[1], 2).await;

    assert_eq!(tablet.shown(), Some(name(2)));
    assert_eq!(tablet.line(1).hub.as_ref(), Some(&hubs[0].address));
    assert_eq!(tablet.line(1).sync.unwrap().records, 1, "what waits there waits");
    record(&tablet.store());
    tablet.safe(2).await;
    assert_eq!((hubs[0].kept().ops.len(), hubs[1].kept().ops.len()), (0, 1), "each has its own");

    hubs[0].behave();
    tablet.sites.sync_now();
    tablet.safe(1).await;
    assert_eq!((hubs[0].kept().ops.len(), hubs[1].kept().ops.len()), (1, 1));
    assert!(tablet.root.path().join("standpipe.db").exists(), "the first lies where it lay");
    let tablet = tablet.restarted();
    assert_eq!(tablet.shown(), Some(name(2)));
    assert_eq!(tablet.line(1).leaving, None);
}

#[tokio::test]
async fn a_site_that_is_here_is_joined_again_where_it_lies_also_one_that_was_left() {
    let (hubs, mut tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    tablet.join(&hubs[1], 2).await;
    tablet.sites.show(&tablet.folder(1)).unwrap();
    cut(&hubs[0]);
    record(&tablet.store());
    tablet.sites.leave(&tablet.folder(1), 0).unwrap();
    assert_eq!(tablet.shown(), Some(name(2)));

    tablet.join(&hubs[0], 1).await;
    assert_eq!(tablet.sites.list().len(), 2);
    let line = tablet.line(1);
    assert_eq!((line.shown, line.leaving, line.sync.unwrap().records), (true, None, 1));
    hubs[0].behave();
    tablet.sites.sync_now();
    tablet.safe(1).await;
    assert_eq!(hubs[0].kept().ops.len(), 1);
    let tablet = tablet.restarted();
    assert_eq!((tablet.shown(), tablet.line(1).leaving), (Some(name(1)), None));
}

#[tokio::test]
async fn what_is_done_while_another_site_is_joined_stays_at_the_site_that_is_shown() {
    let (hubs, tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.try_join(&hubs[0], 1).await.unwrap();
    assert_eq!(tablet.shown(), Some(name(1)), "the first is shown at once");
    let first = tablet.folder(1);
    let folder = tablet.try_join(&hubs[1], 2).await.unwrap();
    assert_eq!((tablet.shown(), tablet.folder(2)), (Some(name(1)), folder.clone()));
    tablet.sites.shown().unwrap().engine.keep_draft("note", "typed meanwhile").unwrap();
    tablet.sites.show(&folder).unwrap();
    assert_eq!((tablet.line(1).drafts, tablet.line(2).drafts), (1, 0));
    assert_eq!(tablet.folder(1), first);
}

#[tokio::test]
async fn a_code_that_is_refused_changes_nothing() {
    let (hub, tablet) = (Hub::start().await, Tablet::new());
    tablet.join(&hub, 1).await;
    let before = tablet.folder(1);
    for _ in 0..2 {
        hub.rule("POST /enrol", || Some(problem(401, "wrong-code")));
        let refused = tablet.sites.join(&hub.address, "k3m9p-x7q2w").await.unwrap_err();
        assert_eq!(refused.problem().code, "wrong-code");
    }
    let tablet = tablet.restarted();
    assert_eq!((tablet.shown(), tablet.folder(1)), (Some(name(1)), before));
    assert_eq!(tablet.sites.list().len(), 1);
    let made = fs::read_dir(tablet.root.path().join("sites")).unwrap().count();
    assert_eq!(made, 1, "the folder that was made for the answer waits for the next");
}

#[tokio::test]
async fn where_the_answer_is_written_down_is_there_before_the_code_is_used_up() {
    let (hubs, tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    let (root, made) = (tablet.root.path().to_owned(), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&made);
    hubs[1].rule("POST /enrol", move || {
        let folders = fs::read_dir(root.join("sites")).into_iter().flatten().flatten();
        seen.store(folders.filter(|folder| folder.path().join("standpipe.db").exists()).count(), SeqCst);
        Some(axum::Json(enrolled(2)).into_response())
    });
    tablet.sites.join(&hubs[1].address, "k3m9p-x7q2w").await.unwrap();
    assert_eq!(made.load(SeqCst), 1);
}

#[tokio::test]
async fn an_app_that_ended_before_it_showed_the_new_site_has_it() {
    let (hubs, tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    let note = tablet.root.path().join("sites.json");
    let before = fs::read(&note).unwrap();
    tablet.join(&hubs[1], 2).await;
    let mut tablet = tablet.restarted_after(|_| fs::write(&note, before).unwrap());
    assert_eq!(tablet.shown(), Some(name(1)));
    tablet.safe(2).await;
}

#[tokio::test]
async fn two_answers_at_once_are_both_kept() {
    let (hub, tablet) = (Hub::start().await, Tablet::new());
    let inner = &tablet.sites.inner;
    let blank = inner.blank(&mut inner.held()).unwrap();
    assert_eq!(blank, Folder::Root);
    for n in [1, 2] {
        let Enrolled { device, token, person, person_name, site, site_name, .. } = enrolled(n);
        let (hub, key) = (hub.address.clone(), Seed([n; 32]));
        let identity =
            Identity { hub, token, device, key, person, person_name, site, site_name, incarnation: 1 };
        inner.take_in(&identity, blank).unwrap();
    }
    assert_eq!(tablet.sites.list().len(), 2);
    assert_eq!(tablet.shown(), Some(name(1)), "whoever works there is not moved");
}

#[tokio::test]
async fn whoever_shows_another_site_finds_what_was_typed_at_this_one_again() {
    let (hubs, tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    let typed = |tablet: &Tablet| tablet.sites.shown().unwrap().engine.drafts().unwrap();
    tablet.sites.shown().unwrap().engine.keep_draft("note", "漏水").unwrap();
    tablet.join(&hubs[1], 2).await;
    assert!(typed(&tablet).is_empty());
    assert_eq!((tablet.line(1).drafts, tablet.line(2).drafts), (1, 0));
    tablet.sites.show(&tablet.folder(1)).unwrap();
    assert_eq!(typed(&tablet)["note"], "漏水");
    let tablet = tablet.restarted();
    assert_eq!(tablet.shown(), Some(name(1)));
    assert_eq!(typed(&tablet)["note"], "漏水");
    assert_eq!(tablet.sites.show("first.").unwrap_err().code(), "unknown-site");
}

#[tokio::test]
async fn choices_and_surroundings_are_the_tablets() {
    let (hubs, tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    tablet.sites.choose(BOTH).unwrap();
    let surroundings = Surroundings { network: Network::Metered, battery: Battery::Low };
    tablet.sites.surrounded_by(surroundings);
    tablet.join(&hubs[1], 2).await;
    assert_eq!(tablet.store().choices().unwrap(), BOTH, "a new site takes over what was chosen");
    assert_eq!(tablet.line(2).sync.unwrap().surroundings, surroundings);

    tablet.sites.choose(Choices::default()).unwrap();
    tablet.sites.show(&tablet.folder(1)).unwrap();
    assert_eq!(tablet.store().choices().unwrap(), Choices::default());
    let free = Surroundings { network: Network::Unmetered, ..surroundings };
    tablet.sites.surrounded_by(free);
    for n in [1, 2] {
        assert_eq!(tablet.line(n).sync.unwrap().surroundings, free, "{n}");
    }
}

#[tokio::test]
async fn a_site_that_cannot_be_opened_says_so_and_keeps_no_other_from_working() {
    let (hubs, tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    tablet.join(&hubs[1], 2).await;
    let broken = tablet.root.path().join("sites").join(tablet.folder(2)).join("standpipe.db");
    // A file of a newer app: SQLite keeps the layout's number at offset 60.
    let newer = |_: &Path| {
        let mut bytes = fs::read(&broken).unwrap();
        bytes[60..64].copy_from_slice(&[0, 0, 1, 0]);
        fs::write(&broken, bytes).unwrap();
    };
    let mut tablet = tablet.restarted_after(newer);
    assert_eq!(tablet.sites.shown().err().unwrap().code, "database-newer");
    let line = tablet.sites.list().into_iter().find(|line| line.shown).unwrap();
    assert_eq!((line.problem.unwrap().code.as_str(), line.sync), ("database-newer", None));
    tablet.safe(1).await;
    tablet.sites.show(&tablet.folder(1)).unwrap();
    assert_eq!(tablet.shown(), Some(name(1)));
}

#[tokio::test]
async fn the_screens_are_told_of_the_site_that_is_shown_and_of_no_other() {
    let (hubs, tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    tablet.join(&hubs[1], 2).await;
    let Tablet { sites, root, world, told: _ } = tablet;
    drop(sites);
    for hub in &hubs {
        cut(hub);
    }
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let tell = move |news: News| drop(tell.send(news));
    let tablet = Tablet {
        sites: Sites::open(root.path(), world.clone(), tell).unwrap(),
        root,
        world,
        told: watch::channel(0).1,
    };
    let other = tablet.sites.inner.held().open(Folder::Root).unwrap().clone();
    let shown = tablet.sites.shown().unwrap();
    for _ in 0..3 {
        record(other.engine.store());
    }
    record(shown.engine.store());
    // Whoever wakes a driver has its line told before they go on.
    other.driver.wake();
    shown.driver.wake();
    let mut lines = vec![];
    while let Ok(news) = told.try_recv() {
        lines.extend(if let News::Line(line) = news { Some(line.records) } else { None });
    }
    assert_eq!(lines.last(), Some(&1), "the line of the site that is shown");
    assert!(!lines.contains(&3), "the line of the other site: {lines:?}");

    let mut next =
        async || tokio::time::timeout(Duration::from_secs(60), told.recv()).await.unwrap().unwrap();
    record(other.engine.store());
    let counted = |tablet: &Tablet| [1, 2].map(|n| tablet.line(n).sync.unwrap().records);
    while next().await != News::Sites || counted(&tablet) != [4, 1] {}
    tablet.sites.show("first").unwrap();
    while next().await != News::Changed {}
}

#[tokio::test]
async fn whoever_asks_or_comes_back_ends_the_wait_of_each_site_at_once() {
    let (hubs, mut tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    tablet.join(&hubs[1], 2).await;
    let is_done = |tablet: &Tablet, n| tablet.line(n).sync.is_some_and(|sync| sync.last_synced.is_some());
    tablet.until("in step", |tablet| is_done(tablet, 1) && is_done(tablet, 2)).await;
    for ask in [Sites::sync_now, Sites::come_back] {
        for hub in &hubs {
            hub.asked();
        }
        ask(&tablet.sites);
        let pulled = async {
            for hub in &hubs {
                // What comes behind the greeting: one that is asked for during another is not made twice.
                while !hub.asked().iter().any(|line| line.starts_with("GET /sync/")) {
                    tokio::task::yield_now().await;
                }
            }
        };
        // Less than what the drivers would wait of themselves, by far.
        let waited = tokio::time::timeout(Duration::from_secs(30), pulled).await;
        assert!(waited.is_ok(), "nobody is asked");
    }
}
