//! An original goes up behind its small picture, and waits for none that nobody makes.

use super::hub::Hub;
use super::tablet::{Tablet, fresh_photo};
use crate::previews::Previews;
use crate::store::blobs::Role;
use crate::store::{Store, StoreError};
use crate::tests::{jpeg, run};
use standpipe_domain::ids::Sha256;
use standpipe_domain::sync::SyncState;
use standpipe_oplog::chain::sha256;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The thread that makes previews, held up at a photo that comes before all others: there is a pipe in place of its file.
struct HeldUp {
    pipe: Option<PathBuf>,
    previews: Previews,
    // Outlasts the thread, which could not be let go without it.
    _folder: Arc<TempDir>,
}

impl HeldUp {
    fn start(Tablet { store, folder, .. }: &Tablet) -> Self {
        let of = sha256(b"the pipe");
        let pipe = store.vault().path(of, Role::Original);
        fs::create_dir_all(pipe.parent().unwrap()).unwrap();
        assert!(run(Command::new("mkfifo").arg(&pipe)).unwrap().status.success());
        store
            .write("adding a photo of nobody's", |writing| {
                let sql =
                    "INSERT INTO blob (sha256, bytes, media_type, here, preview) VALUES (?1, 0, '', 1, 'pending')";
                writing.execute(sql, [of.0])?;
                Ok::<_, StoreError>(())
            })
            .unwrap();
        let previews = Previews::start(store);
        Self { pipe: Some(pipe), previews, _folder: Arc::clone(folder) }
    }

    /// Lets it go on, and waits until it has done all it can.
    fn let_go(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            // As soon as the thread is there, and with nothing to be read.
            File::options().write(true).open(pipe).unwrap();
        }
        self.previews.finish();
    }
}

impl Drop for HeldUp {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// What was announced to the hub, in order.
fn announced(hub: &Hub) -> Vec<(String, Sha256)> {
    hub.kept().uploads.iter().map(|upload| (upload.role.clone(), upload.sha256)).collect()
}

fn original(of: Sha256) -> (String, Sha256) {
    ("original".to_owned(), of)
}

#[tokio::test]
async fn an_original_goes_up_behind_its_small_picture_also_after_a_restart() {
    let hub = Hub::start().await;
    // So that two may be under way at once.
    hub.kept().tells = true;
    let before = Tablet::of(&hub);
    let other = before.photo(b"its small picture is there");
    let fresh = fresh_photo(&before.store, &jpeg(5));
    let (folder, world) = (Arc::clone(&before.folder), Arc::clone(before.store.outside()));
    drop(before);
    let tablet = Tablet::at(folder, world);
    let mut previews = HeldUp::start(&tablet);
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.records == 0).await;
            assert_eq!(tablet.pause().await, Duration::from_secs(60), "it waits to be woken");
            let line = tablet.standing.line();
            assert_eq!((line.state, line.photos, line.set_aside), (SyncState::Waiting, 1, 0));
            assert_eq!((announced(&hub).len(), &announced(&hub)[1]), (2, &original(other)));
            previews.let_go();
            tablet.safe().await;
            let small = sha256(&fs::read(tablet.store.vault().path(fresh, Role::Thumbnail)).unwrap());
            assert_eq!(announced(&hub)[2..], [("thumbnail".to_owned(), small), original(fresh)]);
        })
        .await;
}

#[tokio::test]
async fn an_original_whose_small_picture_cannot_be_made_now_goes_without() {
    let hub = Hub::start().await;
    let tablet = Tablet::of(&hub);
    let fresh = fresh_photo(&tablet.store, &jpeg(5));
    // Where its folder is to be made, something else is.
    let folder = tablet.store.vault().preview(fresh).parent().unwrap().to_owned();
    fs::write(&folder, "in the way").unwrap();
    let mut previews = HeldUp::start(&tablet);
    tablet
        .play(async |tablet| {
            tablet.line(|line| line.records == 0).await;
            tablet.pause().await;
            assert_eq!(announced(&hub), []);
            previews.let_go();
            tablet.safe().await;
            assert_eq!(announced(&hub), [original(fresh)]);
            tablet.pause().await;
            // With the next photo it is tried again.
            fs::remove_file(folder).unwrap();
            tablet.store.photo_came();
            while hub.kept().uploads.len() < 2 {
                tablet.pause().await;
            }
            assert_eq!(announced(&hub)[1].0, "thumbnail");
        })
        .await;
}

#[tokio::test]
async fn an_original_waits_for_no_small_picture_once_nobody_makes_it() {
    // Its thread has died; or it was given up, and nothing else changed.
    let ends: [fn(&Store, Sha256); 2] =
        [|store, _| store.end_previews(), |store, fresh| store.give_preview_up(fresh)];
    for end in ends {
        let hub = Hub::start().await;
        let tablet = Tablet::of(&hub);
        let fresh = fresh_photo(&tablet.store, &jpeg(5));
        let _previews = HeldUp::start(&tablet);
        tablet
            .play(async |tablet| {
                tablet.line(|line| line.records == 0).await;
                tablet.pause().await;
                assert_eq!(announced(&hub), []);
                end(&tablet.store, fresh);
                tablet.safe().await;
                assert_eq!(announced(&hub), [original(fresh)]);
            })
            .await;
    }
}
