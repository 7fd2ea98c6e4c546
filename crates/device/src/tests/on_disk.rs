//! What the system was asked to do before the screen said saved. A test that reads the files back cannot tell: the
//! system's cache gives them, whether or not they are on disk. So a process that records is watched by `strace`.

use super::*;
use std::io::Write as _;

const WATCHED: &str = "trace=fsync,fdatasync,pwrite64,write,rename,renameat,renameat2,mkdir,mkdirat";

/// The process that is watched: it records, and says so each time.
#[test]
#[ignore = "the test below runs it, under strace"]
fn records_while_watched() {
    let say = |what: &str| std::io::stderr().write_all(format!("saved {what}\n").as_bytes()).unwrap();
    let tablet = Tablet::new();
    let item = tablet.first_item(EXTINGUISHER);
    // As an app leaves it that is killed as soon as it has made the folder of a photo.
    let name = standpipe_oplog::chain::sha256(&jpeg(71)).to_string();
    fs::create_dir(tablet.folder.path().join("photos").join(&name[..2])).unwrap();
    say("nothing");
    tablet.answer(EXTINGUISHER, &item, failing()).unwrap();
    say("answer");
    tablet.attach(EXTINGUISHER, &item, "p.jpg", &jpeg(71)).unwrap();
    say("photo");
}

/// The process that is watched: a tablet's first start, in folders that are not there.
#[test]
#[ignore = "the test below runs it, under strace"]
fn begins_while_watched() {
    let say = |what: &str| std::io::stderr().write_all(format!("saved {what}\n").as_bytes()).unwrap();
    let folder = TempDir::new().unwrap();
    say("nothing");
    Engine::open(&folder.path().join("one").join("two"), Arc::new(TestWorld::new(1))).unwrap();
    say("tablet");
}

/// One call of the thread that records, after another. What others do beside it, a preview that is written down say, may be
/// under way when it speaks.
struct Calls(Vec<String>);

impl Calls {
    /// What was called between the two words.
    fn between(&self, from: &str, to: &str) -> &[String] {
        let at = |word: &str| self.0.iter().position(|call| call.contains(&format!("saved {word}"))).unwrap();
        &self.0[at(from)..at(to)]
    }
}

/// Where the last call that holds all these stands.
fn last(calls: &[String], holding: &[&str]) -> Option<usize> {
    calls.iter().rposition(|call| holding.iter().all(|part| call.contains(part)))
}

/// Runs one of the tests above.
fn watch(test: &str) -> Calls {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("calls");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-s", "64", "-e", WATCHED, "-o"]).arg(&log);
    strace.arg(std::env::current_exe().unwrap());
    strace.args(["--exact", &format!("tests::on_disk::{test}"), "--ignored", "--nocapture"]);
    let watched = run(&mut strace).expect("strace is installed: make setup does it");
    assert!(watched.status.success(), "{}", String::from_utf8_lossy(&watched.stderr));
    let calls = fs::read_to_string(&log).unwrap();
    // Each line begins with its thread.
    let thread = |call: &str| call.split_whitespace().next().map(str::to_owned);
    let own = calls.lines().find(|call| call.contains("saved nothing")).and_then(thread).expect("it speaks");
    Calls(calls.lines().filter(|call| thread(call).as_ref() == Some(&own)).map(str::to_owned).collect())
}

#[test]
fn what_is_said_to_be_saved_was_synced_before() {
    let calls = watch("records_while_watched");
    let synced = |calls: &[String]| {
        let written = last(calls, &["pwrite64(", "standpipe.db-wal>"]).expect("the log was written");
        last(calls, &["sync(", "standpipe.db-wal>"]).is_some_and(|synced| synced > written)
    };
    assert!(synced(calls.between("nothing", "answer")), "an answer is on disk when it is said to be");

    let photo = calls.between("answer", "photo");
    assert!(synced(photo), "and so is the record of a photo");
    let bytes = last(photo, &["sync(", "/incoming/"]).expect("the photo's bytes are synced");
    let named = last(photo, &["rename", ".part", "/photos/"]).expect("then they get their name");
    let folder = photo.iter().rposition(|call| call.contains("sync(") && call.contains("/photos")).unwrap();
    let recorded =
        photo.iter().position(|call| call.contains("pwrite64(") && call.contains("db-wal>")).unwrap();
    assert!(bytes < named && named < folder, "which is lasting once its folder is synced");
    assert!(folder < recorded, "and only then is it in a record");
    let above = last(photo, &["sync(", "/photos>"]).expect("that the folder was there says nothing");
    assert!(above < named, "it is lasting before anything lies in it");
}

#[test]
fn the_folders_of_a_tablet_are_lasting_before_anything_lies_in_them() {
    let calls = watch("begins_while_watched");
    let calls = calls.between("nothing", "tablet");
    let at = |what: &str, ending: &str| {
        let is_it = |call: &String| call.contains(what) && call.contains(ending);
        calls.iter().position(is_it).unwrap_or_else(|| panic!("no {what} of {ending}: {calls:#?}"))
    };
    let made = [at("mkdir", "/one\""), at("mkdir", "/one/two\"")];
    let above = calls[made[0]].split('"').nth(1).and_then(|path| path.strip_suffix("/one")).unwrap();
    let lasting = [at("sync(", &format!("{above}>")), at("sync(", "/one>")];
    let used = at("pwrite64(", "/one/two/");
    assert!(made[0] < lasting[0] && lasting[0] < made[1], "each before the next is made in it");
    assert!(made[1] < lasting[1] && lasting[1] < used);
}
