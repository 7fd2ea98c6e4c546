//! A full disk: said at once, and everything before stays.

use super::*;
use standpipe_domain::evidence::Whereabouts;

#[test]
fn a_photo_for_which_there_is_no_room_is_refused_before_a_byte_was_copied() {
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    let before = tablet.attach(EXTINGUISHER, &item, "1.jpg", &jpeg(1)).unwrap();
    tablet.world.set_free(crate::vault::RESERVE + 99);
    let to = AttachTo::Item { check: check(EXTINGUISHER), item: item.clone() };
    let refused =
        tablet.engine.attach_begin(NewFile { name: "2.mp4".into(), bytes: 100, to }).unwrap_err().problem();
    assert_eq!(refused.code, "no-room");
    assert_eq!(refused.details, serde_json::json!({ "needed": 100, "free": 99 }));

    tablet.answer(EXTINGUISHER, &item, answer(Outcome::NotApplicable)).unwrap();
    let photos = tablet.engine.check(check(EXTINGUISHER)).unwrap().photos;
    assert_eq!(photos.len(), 1, "what was there is there, and answers go on");
    assert_eq!(photos[0].evidence, before.evidence);
}

/// Names the folder in which the child process of the next test works.
const CHILD: &str = "STANDPIPE_TEST_FULL_DISK";

/// The disk really refuses: the process may write no file larger than a megabyte, and the system enforces it.
#[test]
fn a_disk_that_refuses_in_the_middle_leaves_nothing_half_written() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return write_until_refused(Path::new(&folder));
    }
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    let Tablet { engine, folder, .. } = tablet;
    drop(engine);
    // The limit comes with a signal that would end the process; ignored, the write fails instead.
    let script = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" --exact \
                  tests::full_disk::a_disk_that_refuses_in_the_middle_leaves_nothing_half_written";
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).arg(std::env::current_exe().unwrap()).env(CHILD, folder.path());
    let done = run(&mut bash).unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("1 passed"), "{said}");

    let engine = Engine::open(folder.path(), Arc::new(TestWorld::new(5))).unwrap();
    let view = engine.check(check(EXTINGUISHER)).unwrap();
    assert_eq!(view.answers[&item].outcome, Outcome::Fail);
    assert_eq!(view.findings[0].photos.len(), 1, "the small one that came after the refusal");
    assert_eq!(view.findings[0].photos[0].whereabouts, Whereabouts::SafeHere);
    assert_eq!(fs::read_dir(folder.path().join("incoming")).unwrap().count(), 0);
}

fn write_until_refused(folder: &Path) {
    let engine = Engine::open(folder, Arc::new(TestWorld::new(6))).unwrap();
    let item = engine.check(check(EXTINGUISHER)).unwrap().checklist.unwrap().items[0].id.clone();
    let begin = |bytes: u64| {
        let to = AttachTo::Item { check: check(EXTINGUISHER), item: item.clone() };
        engine.attach_begin(NewFile { name: "clip.mp4".into(), bytes, to }).unwrap()
    };
    let upload = begin(2 << 20);
    assert_eq!(engine.attach_chunk(&upload, &vec![1; 1 << 19]).unwrap(), 1 << 19);
    let refused = engine.attach_chunk(&upload, &vec![1; 1 << 20]).unwrap_err();
    assert_eq!(refused.code(), "disk-full");
    assert_eq!(engine.attach_end(&upload).unwrap_err().code(), "unknown-upload");
    let small = begin(9);
    engine.attach_chunk(&small, b"ninebytes").unwrap();
    engine.attach_end(&small).unwrap();
}

/// Names the folder in which the child process of the next test mounts a small disk.
const SMALL: &str = "STANDPIPE_TEST_SMALL_DISK";

/// A disk of its own, of sixteen megabytes, where the system lets a test have one.
#[test]
fn a_tablet_whose_disk_is_full_says_so_and_keeps_everything() {
    if let Some(folder) = std::env::var_os(SMALL) {
        return record_until_full(Path::new(&folder));
    }
    let folder = TempDir::new().unwrap();
    let script = "mount -t tmpfs -o size=16m tmpfs \"$1\" || exit 77; exec \"$0\" --exact \
                  tests::full_disk::a_tablet_whose_disk_is_full_says_so_and_keeps_everything";
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "bash", "-c", script]).arg(std::env::current_exe().unwrap());
    unshare.arg(folder.path()).env(SMALL, folder.path());
    let Ok(done) = run(&mut unshare).inspect_err(|error| eprintln!("not run: no unshare: {error}")) else {
        return;
    };
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    if done.status.code() == Some(77) || said.contains("unshare failed") {
        return eprintln!("not run: mounting a disk is not allowed here");
    }
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

fn record_until_full(folder: &Path) {
    let world = Arc::new(TestWorld::new(1));
    let engine = Engine::open(folder, world.clone()).unwrap();
    engine.enrol(&identity(1)).unwrap();
    Office::with_estate().deliver(engine.store()).unwrap();
    let filler = folder.join("filler");
    // Writes until nothing more goes in, then leaves a little room for some answers.
    let mut file = fs::File::create(&filler).unwrap();
    while std::io::Write::write(&mut file, &[0; 4096]).is_ok_and(|written| written > 0) {}
    file.set_len(file.metadata().unwrap().len() - 200_000).unwrap();

    let list = engine.check(check(EXTINGUISHER)).unwrap().checklist.unwrap();
    let answer = |n: usize| {
        let item = &list.items[n % list.items.len()];
        let answer = Answer { note: format!("{n}"), ..passing(item) };
        engine.answer(&NewAnswer {
            check: check(EXTINGUISHER),
            item: item.id.clone(),
            answer,
            seen: Vec::new(),
        })
    };
    let mut recorded = 0;
    let refused = loop {
        match answer(recorded) {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
        assert!(recorded < 10_000, "the disk never was full");
    };
    assert!(recorded > 0);
    assert_eq!(refused.code(), "disk-full");
    assert!(refused.to_string().contains("recording an answer"), "{refused}");
    assert_eq!(engine.store().chain_state().unwrap().last_seq, recorded as u64);

    let to = AttachTo::Item { check: check(EXTINGUISHER), item: list.items[0].id.clone() };
    let upload = engine.attach_begin(NewFile { name: "clip.mp4".into(), bytes: 8 << 20, to }).unwrap();
    let refused = (0..8).find_map(|_| engine.attach_chunk(&upload, &vec![7; 1 << 20]).err()).unwrap();
    assert_eq!(refused.code(), "disk-full");

    drop(file);
    fs::remove_file(&filler).unwrap();
    answer(recorded).unwrap();
    assert_eq!(engine.store().chain_state().unwrap().last_seq, recorded as u64 + 1);
    drop(engine);
    let engine = Engine::open(folder, world).unwrap();
    assert_eq!(engine.store().chain_state().unwrap().last_seq, recorded as u64 + 1);
}
