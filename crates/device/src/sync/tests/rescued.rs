//! A tablet whose database was damaged, was put back, or lacks a row because the power failed.

use super::fetching::{fetch, of_a_colleague, where_is};
use super::hub::Hub;
use super::mending::colleagues;
use super::tablet::{Tablet, record};
use crate::previews::Previews;
use crate::store::blobs::Role;
use crate::store::{FILE, Store, StoreError, query};
use crate::testing::INSPECTOR;
use crate::world::TestWorld;
use standpipe_domain::evidence::Whereabouts;
use standpipe_domain::hold::{Choices, Network, Surroundings};
use standpipe_domain::ids::Sha256;
use standpipe_domain::sync::{AsideId, Kept, SyncState};
use standpipe_oplog::chain::sha256;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Spoils the first page of the database, which makes all of it unreadable to SQLite.
fn damage(folder: &Path) {
    File::options().write(true).open(folder.join(FILE)).unwrap().write_all(&[0xA5; 4096]).unwrap();
}

/// As the tablet's app finds everything at its next start.
fn again(folder: &Arc<tempfile::TempDir>) -> Tablet {
    Tablet::at(Arc::clone(folder), Arc::new(TestWorld::new(77)))
}

fn execute(store: &Store, sql: &str) {
    store.write::<_, StoreError>("losing rows", |writing| Ok(writing.execute_batch(sql)?)).unwrap();
}

/// The names of the files beside which the original lies, or should.
fn beside(store: &Store, of: Sha256) -> Vec<String> {
    let path = store.vault().path(of, Role::Original);
    let files = fs::read_dir(path.parent().unwrap()).unwrap();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

/// A tablet that has pulled what five colleagues recorded, and is closed.
async fn with_records_of_others(hub: &Hub) -> Arc<tempfile::TempDir> {
    (2..7).for_each(|seed| hub.kept().ops.push(colleagues(seed)));
    let tablet = Tablet::of(hub);
    record(&tablet.store);
    let folder = Arc::clone(&tablet.folder);
    Box::pin(tablet.play(async |tablet| tablet.in_step().await)).await;
    assert_eq!(hub.kept().ops.len(), 6);
    folder
}

#[tokio::test]
async fn a_rescued_tablet_gives_a_restored_hub_back_what_others_recorded() {
    let hub = Hub::start().await;
    let folder = Box::pin(with_records_of_others(&hub)).await;
    damage(folder.path());
    hub.kept().restored();
    again(&folder)
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(hub.kept().ops.len(), 6);
            assert_eq!(tablet.store.cursor().unwrap().1, 6);
        })
        .await;
}

#[tokio::test]
async fn a_rescued_tablet_gives_nothing_back_to_a_hub_that_lost_nothing() {
    let hub = Hub::start().await;
    let folder = Box::pin(with_records_of_others(&hub)).await;
    damage(folder.path());
    hub.asked();
    again(&folder)
        .play(async |tablet| {
            tablet.safe().await;
            let asked = hub.asked();
            assert!(!asked.iter().any(|line| line.contains("/sync/return")), "{asked:?}");
        })
        .await;
}

#[tokio::test]
async fn what_only_this_tablet_holds_and_cannot_give_back_is_told_of_one_by_one_and_never_called_safe() {
    let hub = Hub::start().await;
    let folder = Box::pin(with_records_of_others(&hub)).await;
    let all = hub.kept().ops.clone();
    // The rescue finds no mark.
    execute(&again(&folder).store, "DELETE FROM receipt");
    damage(folder.path());
    hub.kept().restored();
    let told = again(&folder).play(async |tablet| {
        let line = tablet.line(|line| line.set_aside == 5).await;
        assert_eq!(line.state, SyncState::NeedsAttention);
        tablet.pause().await;
        let line = tablet.standing.line();
        assert_eq!((line.trouble.clone(), line.records), (None, 0), "its own went up");
        let detail = tablet.store.read("the list", |conn| query::sync_detail(conn, line, None)).unwrap();
        assert_eq!(detail.set_aside.len(), 5);
        for one in &detail.set_aside {
            assert_eq!((one.code.as_str(), one.kept), ("not-taken-back", Kept::Here));
            let author = one.author.as_ref().unwrap();
            assert!(author.name.contains(&INSPECTOR.0.to_string()) && author.at.0 > 0, "{author:?}");
            assert_eq!(one.content.len(), 1);
        }
        // Whoever could bring them is gone, and the person has seen to them.
        let things: Vec<_> = detail.set_aside.iter().map(|one| one.id).collect();
        tablet.store.see_to(&things, true).unwrap();
        tablet.line(|line| line.state == SyncState::SafeBut).await;
        tablet.standing.doubt_all();
        tablet.line(|line| line.state == SyncState::SafeBut).await;
        let told = tablet.told.lock().unwrap().clone();
        assert!(told.iter().all(|line| line.state != SyncState::Safe), "{told:?}");
        // A colleague, who has the marks, gives them back after all.
        {
            let mut kept = hub.kept();
            let missing: Vec<_> = all.into_iter().filter(|one| !kept.ops.contains(one)).collect();
            assert_eq!(missing.len(), 5);
            kept.ops.extend(missing);
        }
        tablet.go_on();
        tablet.safe().await;
        assert!(tablet.store.set_aside_ids().unwrap().is_empty(), "they count again");
    });
    Box::pin(told).await;
}

/// As `what_only_this_tablet_holds…`, of what the tablet's own person recorded with an earlier key.
#[tokio::test]
async fn what_ones_own_person_recorded_and_stands_in_no_chain_is_offered_anew() {
    let hub = Hub::start().await;
    let folder = Box::pin(with_records_of_others(&hub)).await;
    let lose = "DELETE FROM receipt; UPDATE op SET incarnation = NULL, dev_seq = NULL, hash = NULL WHERE hub_seq = 6";
    execute(&again(&folder).store, lose);
    damage(folder.path());
    // Another tablet has given back all but that.
    hub.kept().ops.truncate(5);
    hub.kept().epoch = Uuid::from_u128(8);
    again(&folder)
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(hub.kept().ops.len(), 6);
            assert!(tablet.store.set_aside_ids().unwrap().is_empty());
        })
        .await;
}

/// A tablet whose three originals wait for Wi-Fi while the rest of them is at the hub; closed.
async fn with_originals_that_wait(hub: &Hub) -> (Arc<tempfile::TempDir>, Vec<Sha256>) {
    let tablet = Tablet::of(hub);
    tablet.store.choose(Choices { wait_for_wifi: true, wait_for_battery: false }).unwrap();
    let photos = (1..4_u8).map(|n| tablet.photo(&[n; 40])).collect();
    let folder = Arc::clone(&tablet.folder);
    Box::pin(tablet.play(async |tablet| {
        tablet.line(|line| line.records == 0 && line.held.is_some()).await;
        tablet.pause().await;
        assert_eq!(tablet.store.waiting().unwrap().photos, 3);
        assert_eq!(tablet.store.cursor().unwrap().1, 3);
    }))
    .await;
    (folder, photos)
}

#[tokio::test]
async fn originals_that_no_row_names_go_up_once_a_pull_has_brought_their_records() {
    for what in ["database", "rows"] {
        let hub = Hub::start().await;
        let (folder, photos) = Box::pin(with_originals_that_wait(&hub)).await;
        if what == "database" {
            fs::remove_file(folder.path().join(FILE)).unwrap();
        } else {
            execute(
                &again(&folder).store,
                "DELETE FROM upload; DELETE FROM blob; DELETE FROM op WHERE seq > 1",
            );
            damage(folder.path());
        }
        let tablet = again(&folder);
        if what == "database" {
            tablet.enrol(&hub.address);
        }
        tablet.standing.surround(Surroundings { network: Network::Unmetered, ..Surroundings::default() });
        tablet
            .play(async |tablet| {
                tablet.safe().await;
                for (n, of) in (1_u8..).zip(&photos) {
                    assert_eq!(hub.kept().verified[of], [n; 40], "{what}");
                }
                assert_eq!(tablet.store.waiting().unwrap().photos, 0);
            })
            .await;
    }
}

#[tokio::test]
async fn a_file_of_the_vault_is_believed_for_its_hash_alone() {
    let hub = Hub::start().await;
    let (folder, photos) = Box::pin(with_originals_that_wait(&hub)).await;
    fs::remove_file(folder.path().join(FILE)).unwrap();
    let tablet = again(&folder);
    tablet.enrol(&hub.address);
    let path = tablet.store.vault().path(photos[1], Role::Original);
    fs::write(&path, [9; 40]).unwrap();
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.set_aside == 1).await;
            tablet.pause().await;
            let line = tablet.standing.line();
            assert_eq!(
                (line.state, line.photos, line.lost, line.set_aside),
                (SyncState::NeedsAttention, 0, 1, 1)
            );
            assert!(hub.kept().verified.contains_key(&photos[0]));
            assert!(!hub.kept().verified.contains_key(&photos[1]));
            assert_eq!(fs::read(&path).unwrap(), [9; 40], "what is left of it stays");
            assert!(!tablet.store.accounts_for(photos[1], 40).unwrap());
        })
        .await;
    // Nor at the next start: it is looked at once, and what somebody has seen to stays so.
    let tablet = again(&folder);
    tablet.store.see_to(&[AsideId::Photo(photos[1])], true).unwrap();
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.state == SyncState::SafeBut).await;
            tablet.pause().await;
            assert_eq!(tablet.store.waiting().unwrap().set_aside, 0);
            assert_eq!(fs::read(&path).unwrap(), [9; 40]);
        })
        .await;
}

#[tokio::test]
async fn a_photo_whose_row_the_power_cut_off_is_here_and_goes_back_to_a_hub_that_loses_it() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"their photo");
    hub.kept().verified.insert(of, b"their photo".to_vec());
    let tablet = Tablet::of(&hub);
    let folder = Arc::clone(&tablet.folder);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            fetch(tablet, of).await.unwrap();
        })
        .await;
    execute(&again(&folder).store, "UPDATE blob SET here = 0, at_office = NULL");
    hub.asked();
    again(&folder)
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(where_is(&tablet.store), Whereabouts::SafeAtOffice);
            assert!(!hub.asked().iter().any(|line| line.starts_with("range")), "it is not fetched again");
        })
        .await;
    // The same, and the hub has lost it; and the same for whoever taps on it before the vault was looked at.
    execute(&again(&folder).store, "UPDATE blob SET here = 0, at_office = NULL");
    hub.kept().verified.clear();
    again(&folder)
        .play(async |tablet| {
            fetch(tablet, of).await.unwrap();
            tablet.safe().await;
            assert_eq!(hub.kept().verified[&of], b"their photo");
        })
        .await;
}

#[tokio::test]
async fn of_an_original_that_was_found_and_is_at_the_office_the_small_picture_goes_up_too() {
    let hub = Hub::start().await;
    let photo = crate::tests::jpeg(5);
    let of = of_a_colleague(&hub, &photo);
    hub.kept().verified.insert(of, photo.clone());
    let tablet = Tablet::of(&hub);
    // It lies there, and whoever took it never sent a small picture of it.
    let (vault, world) = (tablet.store.vault(), tablet.store.world());
    let mut incoming = vault.begin(world.uuid(), photo.len() as u64, world).unwrap();
    incoming.write(&photo).unwrap();
    vault.finish(incoming).unwrap();
    tablet
        .play(async |tablet| {
            let previews = Previews::start(&tablet.store);
            tablet.safe().await;
            previews.finish();
            while hub.kept().verified.len() < 2 {
                tablet.pause().await;
                tablet.go_on();
            }
            let small = fs::read(tablet.store.vault().path(of, Role::Thumbnail)).unwrap();
            assert_eq!(hub.kept().verified[&sha256(&small)], small);
        })
        .await;
}

/// As the version before this one may have left an original: longer than it is, with other bytes in it.
#[tokio::test]
async fn a_spoilt_original_that_a_row_names_is_put_aside_and_can_be_fetched_right() {
    let hub = Hub::start().await;
    let of = of_a_colleague(&hub, b"their photo");
    hub.kept().verified.insert(of, b"their photo".to_vec());
    let tablet = Tablet::of(&hub);
    let folder = Arc::clone(&tablet.folder);
    let path = tablet.store.vault().path(of, Role::Original);
    tablet
        .play(async |tablet| {
            tablet.safe().await;
            fetch(tablet, of).await.unwrap();
            // Met while the app runs.
            fs::write(&path, b"their their photo").unwrap();
            fetch(tablet, of).await.unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"their photo");
            assert_eq!(beside(&tablet.store, of).len(), 1, "the right one took its place");
        })
        .await;
    let elsewhere = || Whereabouts::Elsewhere { at_office: Some(true), by: None };
    // Met at the next start.
    fs::write(&path, b"their their photo").unwrap();
    again(&folder)
        .play(async |tablet| {
            tablet.safe().await;
            assert!(!path.exists());
            assert_eq!(where_is(&tablet.store), elsewhere());
            fetch(tablet, of).await.unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"their photo");
        })
        .await;
    // And one that is gone, as where the database was put back without its vault.
    fs::remove_file(&path).unwrap();
    again(&folder)
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(where_is(&tablet.store), elsewhere());
        })
        .await;
}

#[tokio::test]
async fn an_original_of_which_a_record_tells_another_length_is_kept() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let of = tablet.photo(b"my photo");
    let folder = Arc::clone(&tablet.folder);
    let path = tablet.store.vault().path(of, Role::Original);
    tablet.play(async |tablet| _ = tablet.safe().await).await;
    execute(&again(&folder).store, "UPDATE blob SET bytes = 5");
    again(&folder)
        .play(async |tablet| {
            tablet.safe().await;
            assert_eq!(fs::read(&path).unwrap(), b"my photo");
            assert!(tablet.store.accounts_for(of, 8).unwrap());
        })
        .await;
}

#[tokio::test]
async fn what_waits_and_is_spoilt_is_told_of_and_not_put_aside_in_silence() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let of = tablet.photo(b"my photo");
    let path = tablet.store.vault().path(of, Role::Original);
    fs::write(&path, b"not my photo").unwrap();
    tablet
        .play(async |tablet| {
            let line = tablet.line(|line| line.set_aside == 1).await;
            assert_eq!(line.state, SyncState::NeedsAttention);
            assert!(path.exists());
            assert_eq!(where_is(&tablet.store), Whereabouts::NeedsAttention { code: "file-damaged".into() });
        })
        .await;
}
