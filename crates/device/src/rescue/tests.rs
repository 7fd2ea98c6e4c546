use super::*;
use crate::engine::Engine;
use crate::store::blobs::Role;
use crate::testing::{OWNERS, ROUND, check};
use crate::tests::{EXTINGUISHER, STANDPIPE, Tablet, failing, jpeg};
use crate::world::TestWorld;
use standpipe_domain::hold::Choices;
use standpipe_domain::sync::AsideId;
use standpipe_oplog::chain::{START, Written, sha256};
use standpipe_oplog::wire::Refused;
use std::io::{Seek, SeekFrom, Write};
use tempfile::TempDir;

const PAGE: u64 = 4096;

/// A tablet with a good deal in it, closed: its folder.
fn filled() -> (Tablet, u64) {
    let tablet = Tablet::new();
    tablet.pass_everything();
    let item = tablet.first_item(STANDPIPE);
    tablet.find(STANDPIPE, &item, &jpeg(61));
    tablet.engine.finish_previews();
    let ops = tablet.office.log.len() as u64 + tablet.engine.store().chain_state().unwrap().last_seq;
    (tablet, ops)
}

fn close(tablet: Tablet) -> (TempDir, Arc<TestWorld>) {
    let Tablet { engine, folder, world, .. } = tablet;
    drop(engine);
    (folder, world)
}

fn overwrite(folder: &Path, page: u64, pages: u64) {
    let mut file = fs::File::options().write(true).open(folder.join(FILE)).unwrap();
    file.seek(SeekFrom::Start((page - 1) * PAGE)).unwrap();
    file.write_all(&vec![0xA5; usize::try_from(pages * PAGE).unwrap()]).unwrap();
}

fn pages(folder: &Path) -> u64 {
    fs::metadata(folder.join(FILE)).unwrap().len() / PAGE
}

fn pages_of_operations(folder: &Path) -> Vec<u32> {
    let pages = pages::Pages::open(&folder.join(FILE)).unwrap();
    let holds = |page: &u32| rows::in_page(&pages, *page).iter().any(|row| row.columns.len() == 13);
    (1..=pages.count).filter(holds).collect()
}

fn open_again(folder: &Path, world: &Arc<TestWorld>) -> (Engine, Rescue) {
    let engine = Engine::open(folder, world.clone()).unwrap();
    let rescue = engine.today(line()).unwrap().rescue.expect("a rescue to tell of");
    (engine, rescue)
}

fn line() -> standpipe_domain::sync::SyncLine {
    standpipe_domain::sync::SyncLine {
        state: standpipe_domain::sync::SyncState::Waiting,
        records: 0,
        photos: 0,
        bytes: 0,
        lost: 0,
        held: None,
        surroundings: standpipe_domain::hold::Surroundings::default(),
        set_aside: 0,
        last_synced: None,
        trouble: None,
    }
}

/// Checks that what waits is a whole chain from its start.
fn assert_pushable(engine: &Engine) {
    let state = engine.store().chain_state().unwrap();
    let batch = engine.store().outbox(state.acknowledged).unwrap();
    let mut prev = batch.prev_hash;
    for (at, body) in (state.acknowledged + 1..).zip(&batch.bodies) {
        let written = Written::read(body, prev).unwrap();
        assert_eq!((written.op.dev_seq, written.op.incarnation), (at, state.id.incarnation));
        prev = written.hash;
    }
    assert_eq!(state.acknowledged + batch.bodies.len() as u64, state.last_seq);
}

#[test]
fn a_whole_database_needs_no_rescue() {
    let (tablet, _) = filled();
    let tablet = tablet.restarted();
    assert_eq!(tablet.today().rescue, None);
    assert!(
        fs::read_dir(tablet.folder.path())
            .unwrap()
            .all(|file| { !file.unwrap().file_name().to_string_lossy().contains("damaged") })
    );
}

#[test]
fn a_file_whose_first_page_is_lost_gives_every_record_back() {
    let (tablet, ops) = filled();
    let before = tablet.engine.round(ROUND).unwrap();
    let (folder, world) = close(tablet);
    overwrite(folder.path(), 1, 1);
    let damaged = fs::read(folder.path().join(FILE)).unwrap();

    let (engine, rescue) = open_again(folder.path(), &world);
    assert_eq!((u64::from(rescue.rescued), rescue.unreadable), (ops, 0));
    assert!(fs::read(&rescue.copy).unwrap() == damaged, "the copy is the damaged file");
    assert_eq!(engine.round(ROUND).unwrap(), before, "photos and their pictures too");
    assert_pushable(&engine);
    assert_eq!(engine.store().waiting().unwrap().photos, 1);
    drop(engine);
    let engine = Engine::open(folder.path(), world).unwrap();
    assert_eq!(engine.today(line()).unwrap().rescue, None, "told once");
}

#[test]
fn what_was_typed_and_not_recorded_is_rescued_too() {
    let (tablet, _) = filled();
    tablet.engine.keep_draft("note 1", "水泵有").unwrap();
    tablet.engine.keep_draft("note 1", "水泵有异响").unwrap();
    let (folder, world) = close(tablet);
    overwrite(folder.path(), 1, 1);
    let (engine, _) = open_again(folder.path(), &world);
    let drafts: Vec<_> = engine.drafts().unwrap().into_iter().collect();
    assert_eq!(drafts, [("note 1".to_owned(), "水泵有异响".to_owned())]);
}

#[test]
fn what_the_person_chose_is_rescued_too() {
    let (tablet, _) = filled();
    let chosen = Choices { wait_for_wifi: true, wait_for_battery: false };
    tablet.engine.choose(Choices { wait_for_battery: true, ..chosen }).unwrap();
    tablet.engine.choose(chosen).unwrap();
    let (folder, world) = close(tablet);
    overwrite(folder.path(), 1, 1);
    let (engine, _) = open_again(folder.path(), &world);
    assert_eq!(engine.store().choices().unwrap(), chosen);
}

#[test]
fn what_somebody_has_seen_to_is_rescued_too_and_what_was_taken_back_asks_again() {
    let (tablet, _) = filled();
    let store = tablet.engine.store();
    let all: Vec<_> = store
        .outbox(0)
        .unwrap()
        .bodies
        .iter()
        .take(3)
        .map(|body| Written::read(body, START).unwrap().op.op_id)
        .collect();
    let refused = |op_id: &_| Refused { op_id: *op_id, code: "sealed".into(), detail: String::new() };
    store.set_aside(&all.iter().map(refused).collect::<Vec<_>>()).unwrap();
    tablet.engine.see_to(&[AsideId::Record(all[0]), AsideId::Record(all[1])], true).unwrap();
    tablet.engine.see_to(&[AsideId::Record(all[1])], false).unwrap();
    let detail = |engine: &Engine| {
        let detail = engine.sync_detail(line()).unwrap();
        (detail.set_aside.len(), detail.seen_to)
    };
    let before = detail(&tablet.engine);
    assert_eq!((before.0, before.1.len()), (2, 1));
    let (folder, world) = close(tablet);
    overwrite(folder.path(), 1, 1);
    let (engine, _) = open_again(folder.path(), &world);
    let (asking, seen_to) = detail(&engine);
    assert_eq!(asking, 2);
    assert_eq!(seen_to[0].id, AsideId::Record(all[0]));
    assert_eq!(seen_to[0].seen, before.1[0].seen, "who said so, and when");
}

#[test]
fn the_hubs_marks_are_rescued_also_those_above_the_leaves() {
    let (tablet, _) = filled();
    let marks = |store: &Store| {
        store
            .read("counting", |conn| {
                let sql = "SELECT count(*) FROM receipt WHERE mark = 'abcdefghijkl'";
                Ok::<u32, StoreError>(conn.query_row(sql, [], |row| row.get(0))?)
            })
            .unwrap()
    };
    let store = tablet.engine.store();
    store
        .write::<_, StoreError>("marking", |writing| {
            let mut mark = writing.prepare("INSERT INTO receipt VALUES (?1, 'abcdefghijkl')")?;
            for n in 0..20_000_u128 {
                mark.execute([uuid::Uuid::from_u128((n << 64) * 0x9E37_79B9)])?;
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(marks(store), 20_000);
    let (folder, world) = close(tablet);
    overwrite(folder.path(), 1, 1);
    let (engine, _) = open_again(folder.path(), &world);
    assert_eq!(marks(engine.store()), 20_000);
}

#[test]
fn pages_destroyed_in_the_middle_cost_what_lay_in_them_and_no_more() {
    let (tablet, ops) = filled();
    let (folder, world) = close(tablet);
    let last = pages(folder.path());
    // One page at a time, of every kind of page; the first is destroyed by the other test.
    let mut lost = 0;
    for page in (2..=last).step_by(3) {
        let copied = TempDir::new().unwrap();
        crate::tests::copy(folder.path(), copied.path());
        overwrite(copied.path(), page, 1);
        let engine = Engine::open(copied.path(), world.clone()).unwrap();
        let Some(rescue) = engine.today(line()).unwrap().rescue else {
            // A free page: nothing lay there.
            continue;
        };
        let gone = ops - u64::from(rescue.rescued);
        assert!(gone <= 20, "page {page} held no more than a page of operations: {gone}");
        lost += gone;
        if engine.store().identity().unwrap().is_some() {
            assert_pushable(&engine);
        }
    }
    assert!(lost > 0, "some of the pages held operations");
}

#[test]
fn what_was_lost_here_but_is_at_the_office_comes_back() {
    let (mut tablet, ops) = filled();
    let store = tablet.engine.store();
    while store.waiting().unwrap().records > 0 {
        tablet.office.take_from(store).unwrap();
    }
    tablet.office.deliver(store).unwrap();
    let before = tablet.engine.round(ROUND).unwrap();
    let Tablet { engine, folder, world, office } = tablet;
    drop(engine);
    for page in pages_of_operations(folder.path()).into_iter().step_by(2) {
        overwrite(folder.path(), page.into(), 1);
    }

    let (engine, rescue) = open_again(folder.path(), &world);
    assert!(u64::from(rescue.rescued) < ops, "something was lost, or the test shows nothing");
    assert!(rescue.unreadable > 0);
    if engine.store().identity().unwrap().is_none() {
        engine.enrol(&crate::testing::identity(1)).unwrap();
    }
    assert!(office.deliver(engine.store()).unwrap());
    assert_eq!(engine.round(ROUND).unwrap().findings.len(), before.findings.len());
    assert_eq!(engine.round(ROUND).unwrap().stops, before.stops);
}

#[test]
fn a_rescue_that_was_interrupted_goes_on() {
    let (tablet, ops) = filled();
    let (folder, world) = close(tablet);
    overwrite(folder.path(), 1, 1);
    let aside = name_aside(folder.path(), &*world);
    begin(folder.path(), &aside).unwrap();
    // The power failed after the file was moved, and half of the fresh one was written.
    fs::rename(folder.path().join(FILE), &aside).unwrap();
    fs::write(folder.path().join("standpipe.db.fresh"), b"half").unwrap();

    let (engine, rescue) = open_again(folder.path(), &world);
    assert_eq!(u64::from(rescue.rescued), ops);
    assert_eq!(rescue.copy, aside.display().to_string());
    assert!(!marker(folder.path()).exists());
    assert_pushable(&engine);
}

#[test]
fn a_second_rescue_does_not_write_over_the_first_copy() {
    let (tablet, _) = filled();
    let (folder, world) = close(tablet);
    let mut copies = Vec::new();
    for _ in 0..2 {
        overwrite(folder.path(), 1, 1);
        let (engine, rescue) = open_again(folder.path(), &world);
        drop(engine);
        copies.push(rescue.copy);
    }
    assert_ne!(copies[0], copies[1]);
    assert!(copies.iter().all(|copy| Path::new(copy).exists()));
}

#[test]
fn a_file_that_is_no_database_is_set_aside_and_recording_begins_anew() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(FILE), "nothing of ours, and long enough to be looked at ".repeat(200))
        .unwrap();
    let (engine, rescue) = open_again(folder.path(), &Arc::new(TestWorld::new(1)));
    assert_eq!((rescue.rescued, rescue.unreadable), (0, 0));
    engine.enrol(&crate::testing::identity(1)).unwrap();
}

#[test]
fn damage_that_is_met_while_working_is_rescued_at_the_next_start() {
    let (tablet, _) = filled();
    let item = tablet.first_item(EXTINGUISHER);
    let (folder, world) = close(tablet);
    let engine = Engine::open(folder.path(), world.clone()).unwrap();
    // Nobody looked at these pages yet: caches are empty.
    overwrite(folder.path(), 2, pages(folder.path()) - 2);
    let met = engine.answer(&standpipe_domain::tablet::NewAnswer {
        check: check(EXTINGUISHER),
        item,
        answer: failing(),
        seen: Vec::new(),
    });
    assert_eq!(met.unwrap_err().code(), "damaged");
    assert!(engine.store().is_suspect());
    drop(engine);
    let (engine, _) = open_again(folder.path(), &world);
    assert!(!engine.store().is_suspect());
}

#[test]
fn a_photo_whose_row_is_lost_goes_up_again() {
    let (tablet, _) = filled();
    tablet
        .engine
        .store()
        .write::<_, StoreError>("losing rows", |writing| {
            writing.execute("DELETE FROM upload", [])?;
            writing.execute("DELETE FROM blob", [])?;
            Ok(())
        })
        .unwrap();
    let (folder, world) = close(tablet);
    overwrite(folder.path(), 1, 1);
    let (engine, _) = open_again(folder.path(), &world);
    engine.finish_previews();
    let store = engine.store();
    assert_eq!(store.waiting().unwrap().photos, 1);
    store.acknowledge(store.chain_state().unwrap().id, store.chain_state().unwrap().last_seq, 0).unwrap();
    let next = store.next_upload().unwrap().unwrap();
    assert_eq!((next.key.of, next.key.role), (sha256(&jpeg(61)), Role::Thumbnail));
    assert_eq!(engine.round(ROUND).unwrap().sign_offs.len(), OWNERS.len());
}

/// The files of a tablet as a power failure leaves them: nobody closed the database, so much lies in its log.
fn unplugged() -> (TempDir, Arc<TestWorld>, u64) {
    let (tablet, ops) = filled();
    let folder = TempDir::new().unwrap();
    crate::tests::copy(tablet.folder.path(), folder.path());
    (folder, tablet.world.clone(), ops)
}

/// Overwrites bytes of the write-ahead log.
fn spoil_log(folder: &Path, at: u64, bytes: usize) {
    let log = beside(&folder.join(FILE), "-wal");
    assert!(log.metadata().unwrap().len() > at + bytes as u64 + 20 * PAGE, "there is a log to spoil");
    let mut file = fs::File::options().write(true).open(log).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&vec![0xA5; bytes]).unwrap();
}

#[test]
fn a_log_that_is_whole_needs_no_rescue_though_its_end_is_torn() {
    let (folder, world, _) = unplugged();
    let log = beside(&folder.path().join(FILE), "-wal");
    let length = log.metadata().unwrap().len();
    fs::File::options().write(true).open(log).unwrap().set_len(length - 100).unwrap();
    let engine = Engine::open(folder.path(), world).unwrap();
    assert_eq!(engine.today(line()).unwrap().rescue, None);
}

#[test]
fn a_page_destroyed_in_the_log_costs_no_more_than_lay_in_it() {
    let (folder, world, ops) = unplugged();
    spoil_log(folder.path(), 10 * PAGE, 4096);
    let (engine, rescue) = open_again(folder.path(), &world);
    assert!(u64::from(rescue.rescued) > ops * 9 / 10, "{rescue:?} of {ops}");
    assert_pushable(&engine);
    let copies = fs::read_dir(folder.path()).unwrap().flatten();
    assert!(copies.into_iter().any(|entry| entry.file_name().to_string_lossy().contains(".damaged-")));
}

#[test]
fn a_log_without_its_head_is_read_all_the_same() {
    let (folder, world, ops) = unplugged();
    spoil_log(folder.path(), 0, 32);
    let (engine, rescue) = open_again(folder.path(), &world);
    assert_eq!(u64::from(rescue.rescued), ops);
    assert_pushable(&engine);
}

#[test]
fn a_database_of_which_only_the_log_is_left_is_rescued() {
    for gone in [true, false] {
        let (folder, world, ops) = unplugged();
        let path = folder.path().join(FILE);
        if gone {
            fs::remove_file(&path).unwrap();
        } else {
            fs::File::create(&path).unwrap();
        }
        let (engine, rescue) = open_again(folder.path(), &world);
        assert!(u64::from(rescue.rescued) > ops / 2, "{rescue:?} of {ops}");
        assert_pushable(&engine);
    }
}

#[test]
fn a_database_that_is_gone_beside_its_photos_is_no_new_tablet() {
    let (tablet, _) = filled();
    let (folder, world) = close(tablet);
    fs::remove_file(folder.path().join(FILE)).unwrap();
    let (_, rescue) = open_again(folder.path(), &world);
    assert_eq!(rescue.rescued, 0);
}

#[test]
fn a_power_failure_in_the_middle_of_a_checkpoint_is_no_damage() {
    let (folder, world, ops) = unplugged();
    // What a checkpoint would have made of the file, of which two pages have got there.
    let later = TempDir::new().unwrap();
    crate::tests::copy(folder.path(), later.path());
    let path = later.path().join(FILE);
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let done = fs::read(&path).unwrap();
    let (half, written) = (folder.path().join(FILE), usize::try_from(2 * PAGE).unwrap());
    let mut file = fs::File::options().write(true).open(&half).unwrap();
    assert!(file.metadata().unwrap().len() < done.len() as u64, "the rest is in the log only");
    file.write_all(&done[..written]).unwrap();
    drop(file);

    let engine = Engine::open(folder.path(), world).unwrap();
    assert_eq!(engine.today(line()).unwrap().rescue, None);
    let held: u64 = engine
        .store()
        .read("counting", |conn| {
            Ok::<_, StoreError>(conn.query_row("SELECT count(*) FROM op", [], |row| row.get(0))?)
        })
        .unwrap();
    assert_eq!(held, ops);
}
