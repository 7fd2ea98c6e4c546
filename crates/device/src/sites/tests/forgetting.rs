//! The power fails in the middle of forgetting: either the whole site is there, or nothing of it.

use super::super::folder::{Folder, Step};
use super::*;
use crate::store::blobs::Role;
use crate::sync::tests::tablet::{photo, record};
use crate::tests::copy;
use standpipe_domain::ids::Sha256;
use std::fs;

const PHOTO: [u8; 100] = [7; 100];

/// A tablet of two sites, with a record and a photo at each, as the power left it: nobody closed a database.
async fn with_two() -> (TempDir, Sha256) {
    let (hubs, tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    let mut of = None;
    for (n, hub) in [1, 2].into_iter().zip(&hubs) {
        tablet.join(hub, n).await;
        cut(hub);
        record(&tablet.store());
        of = Some(photo(&tablet.store(), &PHOTO));
    }
    let found = TempDir::new().unwrap();
    copy(tablet.root.path(), found.path());
    (found, of.unwrap())
}

/// Takes the first `steps`, and half of the next where that is not one thing.
fn power_fails_after(steps: &[Step], taken: usize) {
    steps[..taken].iter().for_each(|step| step.take().unwrap());
    if let Some(Step::RemoveFolder(folder)) = steps.get(taken) {
        for half in ["standpipe.db", "photos"] {
            let _ = fs::remove_file(folder.join(half));
            let _ = fs::remove_dir_all(folder.join(half));
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Every record and photo of a site is there.
fn assert_whole(tablet: &Tablet, n: u8, photo: Sha256) {
    let sync = tablet.line(n).sync.unwrap();
    assert_eq!((sync.records, sync.photos), (2, 1), "site {n}");
    tablet.sites.show(&tablet.folder(n)).unwrap();
    let path = tablet.store().vault().path(photo, Role::Original);
    assert_eq!(fs::read(path).unwrap(), PHOTO, "site {n}");
}

#[tokio::test]
async fn the_power_fails_at_each_step() {
    let (found, of) = with_two().await;
    for n in [1, 2] {
        let mut taken = 0;
        loop {
            let root = TempDir::new().unwrap();
            copy(found.path(), root.path());
            let further =
                Folder::all(root.path()).unwrap().into_iter().find(|folder| *folder != Folder::Root);
            let folder = if n == 1 { Folder::Root } else { further.unwrap() };
            let mut steps = folder.end(root.path());
            let end = steps.len();
            power_fails_after(&steps, taken.min(end));
            if taken >= end {
                steps.extend(Folder::rest(root.path()).unwrap());
                power_fails_after(&steps[end..], taken - end);
            }
            let all = steps.len();

            let tablet = Tablet::on(root, Arc::new(TestWorld::new(2)));
            assert_whole(&tablet, 3 - n, of);
            if taken == 0 {
                assert_whole(&tablet, n, of);
            } else {
                assert_eq!(tablet.sites.list().len(), 1, "site {n}, {taken} steps of {all}");
                nothing_is_left(&tablet, n);
                a_site_that_is_joined_then_stays(tablet, n).await;
            }
            taken += 1;
            if taken > all {
                assert!(all > 3, "the last step was reached");
                break;
            }
        }
    }
}

fn nothing_is_left(tablet: &Tablet, n: u8) {
    let root = tablet.root.path();
    let mut left = names(root);
    left.retain(|name| name != "lock" && name != "sites.json");
    let further = names(&root.join("sites"));
    if n == 1 {
        assert_eq!((left, further.len()), (vec!["sites".to_owned()], 1));
    } else {
        assert!(left.contains(&"standpipe.db".to_owned()), "{left:?}");
        assert_eq!(further, Vec::<String>::new());
    }
}

/// Nothing of the removal is still to come, that would fall upon another site.
async fn a_site_that_is_joined_then_stays(tablet: Tablet, n: u8) {
    let hub = Hub::start().await;
    tablet.join(&hub, n).await;
    cut(&hub);
    record(&tablet.store());
    let of = photo(&tablet.store(), &PHOTO);
    let tablet = tablet.restarted().restarted();
    assert_eq!(tablet.line(n).leaving, None);
    assert_whole(&tablet, n, of);
}

#[tokio::test]
async fn an_app_that_ended_between_the_end_of_a_site_and_its_note_does_not_take_the_next_for_left() {
    let (hubs, mut tablet) = ([Hub::start().await, Hub::start().await], Tablet::new());
    tablet.join(&hubs[0], 1).await;
    cut(&hubs[0]);
    record(&tablet.store());
    tablet.sites.leave(&tablet.folder(1), 0).unwrap();
    tablet.kept_for(1, Keeps::Waits).await;
    let end = |root: &Path| {
        // The empty folder that is shown goes too: the next is made where the first lay.
        fs::remove_dir_all(root.join("sites")).unwrap();
        Folder::Root.end(root).iter().for_each(|step| step.take().unwrap());
    };
    let mut tablet = tablet.restarted_after(end);
    assert_eq!(tablet.shown(), None);
    assert_eq!(tablet.sites.list()[0].leaving, None);
    tablet.join(&hubs[1], 2).await;
    assert_eq!(tablet.folder(2), "first");
    let mut tablet = {
        tablet.safe(2).await;
        tablet.restarted()
    };
    tablet.safe(2).await;
    assert_eq!(tablet.line(2).leaving, None);
}

/// Whoever goes back to an app that knows nothing of this begins anew in the root, and keeps what they record there.
#[tokio::test]
async fn what_an_older_app_records_beside_the_mark_is_nobody_elses_to_remove() {
    let (found, _) = with_two().await;
    let live = found.path().join("standpipe.db");
    let older = TempDir::new().unwrap();
    copy(found.path(), older.path());
    Folder::Root.end(older.path()).iter().for_each(|step| step.take().unwrap());
    fs::copy(&live, older.path().join("standpipe.db")).unwrap();
    let tablet = Tablet::on(older, Arc::new(TestWorld::new(2)));
    assert_eq!(tablet.sites.list().len(), 2);
    assert!(!tablet.root.path().join("standpipe.db.forgotten").exists());
    assert!(tablet.root.path().join("photos").exists());
}
