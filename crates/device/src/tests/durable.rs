//! What was said to be saved is there, whatever happened next.

use super::*;
use crate::store::FILE;
use crate::testing::OWNERS;

#[test]
fn everything_is_there_after_the_power_failed() {
    let tablet = Tablet::new();
    tablet.pass_everything();
    let item = tablet.first_item(STANDPIPE);
    tablet.find(STANDPIPE, &item, &jpeg(31));
    tablet.engine.finish_previews();
    tablet.sign(OWNERS[0], None).unwrap();
    let before = tablet.engine.round(ROUND).unwrap();
    let check_before = tablet.engine.check(check(STANDPIPE)).unwrap();
    let chain = tablet.engine.store().chain_state().unwrap();

    let tablet = tablet.after_power_failure();
    assert_eq!(tablet.engine.round(ROUND).unwrap(), before);
    assert_eq!(tablet.engine.check(check(STANDPIPE)).unwrap(), check_before);
    assert_eq!(tablet.engine.store().chain_state().unwrap(), chain);
    let tablet = tablet.restarted();
    assert_eq!(tablet.engine.round(ROUND).unwrap(), before);
}

#[test]
fn the_database_syncs_every_commit() {
    let tablet = Tablet::new();
    tablet
        .engine
        .store()
        .write::<_, Error>("asking", |writing| {
            let synchronous: u32 = writing.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
            let journal: String = writing.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
            assert_eq!((synchronous, journal.as_str()), (2, "wal"));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_transaction_that_fails_half_way_leaves_nothing() {
    let tablet = Tablet::new();
    let store = tablet.engine.store();
    let before = store.chain_state().unwrap();
    let failed = store.write::<(), Error>("failing", |writing| {
        let draft = crate::testing::set("check", check(0).0, "answer:x", serde_json::json!({}), None);
        writing.record(draft)?;
        Err(Error::NotAllowed)
    });
    assert_eq!(failed.unwrap_err().code(), "not-allowed");
    assert_eq!(store.chain_state().unwrap(), before);
    assert_eq!(store.outbox(before.last_seq).unwrap().bodies.len(), 0);
}

#[test]
fn a_newer_apps_database_is_refused_and_not_a_byte_of_it_changes() {
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    let Tablet { engine, world, folder, .. } = tablet;
    drop(engine);
    let path = folder.path().join(FILE);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let before = snapshot(folder.path());
    let error = Engine::open(folder.path(), world.clone()).err().unwrap();
    assert_eq!(error.code(), "database-newer");
    assert!(error.to_string().contains("install the newer app"), "{error}");
    assert_eq!(snapshot(folder.path()), before);

    // As a newer app leaves it that was killed: the number stands in the write-ahead log only.
    let crashed = TempDir::new().unwrap();
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 3).unwrap();
    newer.pragma_update(None, "user_version", 98).unwrap();
    copy(folder.path(), crashed.path());
    drop(newer);
    let files = |folder: &Path| {
        [fs::read(folder.join(FILE)).unwrap(), fs::read(folder.join("standpipe.db-wal")).unwrap()]
    };
    let before = files(crashed.path());
    assert!(!before[1].is_empty());
    assert_eq!(Engine::open(crashed.path(), world).err().unwrap().code(), "database-newer");
    assert!(files(crashed.path()) == before);
}

fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut all: Vec<_> = files
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn screens_hear_of_every_change() {
    let tablet = Tablet::new();
    let mut changes = tablet.engine.store().changes();
    changes.mark_unchanged();
    let item = tablet.first_item(EXTINGUISHER);
    assert!(!changes.has_changed().unwrap());
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    assert!(changes.has_changed().unwrap());
}

#[test]
fn a_second_app_on_the_same_data_is_refused() {
    let tablet = Tablet::new();
    let again = || Engine::open(tablet.folder.path(), tablet.world.clone()).map(drop);
    assert_eq!(again().unwrap_err().code(), "in-use");
    let Tablet { engine, folder, world, .. } = tablet;
    drop(engine);
    Engine::open(folder.path(), world).unwrap();
}
