//! Backups that are made while the hub works, and what tablets are told of them.

use crate::office::Office;
use crate::stop::{PATIENCE, Running, hub, run, text};
use crate::tablet::{Stop, Tablet};
use crate::upload::{files, photo};
use rustix::process::Signal;
use serde_json::Value;
use standpipe_domain::ids::Sha256;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::process::Child;

/// Where a photo lies, on a hub or in a backup.
pub fn shelf(folder: &Path, hash: Sha256) -> PathBuf {
    let name = hash.to_string();
    folder.join("blobs").join(&name[..2]).join(&name[2..])
}

/// Makes a whole backup. Gives what the command says of it.
pub async fn back_up(office: &Office, to: &Path) -> Value {
    let made = run(office.dir(), &["backup", "--json", "--to", to.to_str().unwrap()]).await;
    assert!(made.status.success(), "{}", text(&made.stderr));
    serde_json::from_slice(&made.stdout).unwrap()
}

pub async fn durable(tablet: &Tablet<'_>) -> u64 {
    tablet.greet().await["durable_seq"].as_u64().unwrap()
}

/// The numbers of the last backup that has begun, and of the last that is whole.
pub async fn numbers(tablet: &Tablet<'_>) -> [u64; 2] {
    let greeting = tablet.greet().await;
    ["begun", "whole"].map(|which| greeting["backups"][which].as_u64().unwrap())
}

/// A photo at the hub that no more than a pipe stands for: whoever reads it waits until somebody writes.
struct Pipe {
    file: PathBuf,
    bytes: Vec<u8>,
}

impl Pipe {
    fn instead_of(file: PathBuf) -> Self {
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        Self { file, bytes }
    }

    /// Once somebody reads.
    async fn read(&self) -> File {
        let file = self.file.clone();
        let opened = tokio::task::spawn_blocking(move || OpenOptions::new().write(true).open(file).unwrap());
        tokio::time::timeout(PATIENCE, opened).await.expect("the backup reads it").unwrap()
    }

    /// The photo itself again.
    fn end(self) {
        std::fs::remove_file(&self.file).unwrap();
        std::fs::write(&self.file, &self.bytes).unwrap();
    }
}

/// A backup that has come as far as the pipe.
async fn up_to(pipe: &Pipe, office: &Office, to: &Path) -> (Child, File) {
    let child = hub(office.dir(), &["backup", "--json", "--to", to.to_str().unwrap()]).spawn().unwrap();
    let writer = pipe.read().await;
    (child, writer)
}

async fn killed(mut child: Child) {
    // SIGKILL: nothing of it runs any more.
    child.kill().await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), None);
}

#[tokio::test]
async fn a_backup_holds_what_was_there_when_it_began_and_counts_once_it_is_whole() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let stop = Stop::first(&office.person("office").await).await;
    let mut hashes = Vec::new();
    for seed in 60..65 {
        hashes.push(tablet.upload(&photo(seed, 300_000)).await);
    }
    hashes.sort();
    let mut ops = vec![tablet.answer(&stop, "fail"), tablet.find(&stop, "阀门生锈")];
    tablet.push(&ops).await;
    let dir = TempDir::new().unwrap();
    let to = dir.path().join("other disk/standpipe");
    let pipe = Pipe::instead_of(shelf(office.dir(), hashes[2]));

    assert_eq!(numbers(&tablet).await, [0, 0]);
    let (child, writer) = up_to(&pipe, &office, &to).await;
    assert_eq!(numbers(&tablet).await, [1, 0]);
    ops.push(tablet.answer(&stop, "pass"));
    let answer: Value = tablet.push(&ops).await.json().await.unwrap();
    assert_eq!((&answer["acknowledged"], &answer["durable_seq"]), (&3.into(), &0.into()));
    killed(child).await;
    drop(writer);
    assert_eq!(durable(&tablet).await, 0, "half a backup is none");
    assert_eq!(numbers(&tablet).await, [1, 0]);
    let whole = run(office.dir(), &["verify", "--backup", to.to_str().unwrap()]).await;
    assert_eq!(whole.status.code(), Some(1));
    assert!(text(&whole.stderr).contains("manifest.json is missing"), "{}", text(&whole.stderr));

    let (child, mut writer) = up_to(&pipe, &office, &to).await;
    ops.push(tablet.answer(&stop, "fail"));
    tablet.push(&ops).await;
    let late = tablet.upload(&photo(70, 5_000)).await;
    assert_eq!(durable(&tablet).await, 0);
    let bytes = pipe.bytes.clone();
    tokio::task::spawn_blocking(move || writer.write_all(&bytes).unwrap()).await.unwrap();
    let made = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let (manifest, photos) = (&made["manifest"], &made["photos"]);
    assert_eq!((&manifest["photos"], &photos["copied"]), (&5.into(), &3.into()), "two were there: {made}");
    assert_eq!(photos["copied_bytes"], 900_000);
    let chain = |chains: &Value| {
        let mut chains = chains.as_array().unwrap().iter();
        chains.find(|chain| chain["device"] == tablet.id.to_string()).map(|chain| chain["dev_seq"].clone())
    };
    assert_eq!(chain(&manifest["chains"]), Some(3.into()));
    assert_eq!(durable(&tablet).await, 3, "what came while it was made is not in it");
    assert_eq!(numbers(&tablet).await, [2, 2]);
    let answer: Value = tablet.push(&ops).await.json().await.unwrap();
    assert_eq!((&answer["acknowledged"], &answer["durable_seq"]), (&4.into(), &3.into()));
    assert!(!shelf(&to, late).exists());
    pipe.end();

    // The next one holds the rest, and copies only that.
    let made = back_up(&office, &to).await;
    assert_eq!((&made["photos"]["copied"], &made["photos"]["copied_bytes"]), (&1.into(), &5_000.into()));
    assert_eq!(durable(&tablet).await, 4);
    let whole = run(office.dir(), &["verify", "--backup", to.to_str().unwrap()]).await;
    assert!(text(&whole.stdout).contains(" is whole: "), "{whole:?}");
    let left = files(&to);
    assert_eq!(left.len(), 2 + 6, "a manifest, a database and the photos, nothing else: {left:?}");
    for path in left.iter().map(PathBuf::as_path).chain([to.as_path(), &to.join("blobs")]) {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    office.close().await;
}

#[tokio::test]
async fn a_backup_that_is_killed_leaves_the_last_whole_one() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let stop = Stop::first(&office.person("office").await).await;
    let mut ops = vec![tablet.answer(&stop, "fail")];
    tablet.push(&ops).await;
    tablet.upload(&photo(60, 9_000)).await;
    let dir = TempDir::new().unwrap();
    let first = back_up(&office, dir.path()).await;

    ops.push(tablet.find(&stop, "阀门生锈"));
    tablet.push(&ops).await;
    let new = tablet.upload(&photo(61, 9_000)).await;
    let pipe = Pipe::instead_of(shelf(office.dir(), new));
    let (child, _writer) = up_to(&pipe, &office, dir.path()).await;
    let second = run(office.dir(), &["backup", "--to", dir.path().to_str().unwrap()]).await;
    assert!(text(&second.stderr).contains("another backup of this hub is being made"), "{second:?}");
    killed(child).await;
    assert_eq!(durable(&tablet).await, 1);
    let whole = run(office.dir(), &["verify", "--backup", dir.path().to_str().unwrap()]).await;
    assert!(whole.status.success(), "{whole:?}");
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest, first["manifest"]);

    pipe.end();
    back_up(&office, dir.path()).await;
    assert_eq!(durable(&tablet).await, 2);
    assert_eq!(files(dir.path()).len(), 2 + 2, "what was begun and replaced is gone");
    office.close().await;
}

#[tokio::test]
async fn a_backup_whose_manifest_is_spoilt_is_not_removed_before_there_is_another() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    tablet.upload(&photo(60, 9_000)).await;
    let dir = TempDir::new().unwrap();
    let to = dir.path().to_str().unwrap();
    let first = back_up(&office, dir.path()).await;
    let name = first["manifest"]["database"]["file"].as_str().unwrap();
    let database = std::fs::read(dir.path().join(name)).unwrap();
    std::fs::write(dir.path().join("manifest.json"), "{").unwrap();

    let another = TempDir::new().unwrap();
    Running::start(another.path(), &[]).await.terminate(Signal::TERM).await;
    let refused = run(another.path(), &["backup", "--to", to]).await;
    assert!(text(&refused.stderr).contains("holds the backup of another hub"), "{}", text(&refused.stderr));

    let new = tablet.upload(&photo(61, 9_000)).await;
    let pipe = Pipe::instead_of(shelf(office.dir(), new));
    let (child, _writer) = up_to(&pipe, &office, dir.path()).await;
    killed(child).await;
    assert_eq!(std::fs::read(dir.path().join(name)).unwrap(), database, "it is the only one");

    pipe.end();
    let made = run(office.dir(), &["backup", "--to", to]).await;
    assert!(made.status.success(), "{}", text(&made.stderr));
    assert!(text(&made.stderr).contains("manifest.json cannot be read"), "{}", text(&made.stderr));
    let kept: Vec<_> = files(dir.path()).into_iter().filter(|file| file.ends_with(name)).collect();
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(std::fs::read(kept).unwrap(), database, "it may hold what the new one does not");
    let apart = kept.parent().unwrap();
    assert!(text(&made.stderr).contains(apart.to_str().unwrap()), "{}", text(&made.stderr));
    assert_eq!(std::fs::read(apart.join("manifest.json")).unwrap(), b"{");
    assert!(run(office.dir(), &["verify", "--backup", to]).await.status.success());
    back_up(&office, dir.path()).await;
    assert_eq!(files(dir.path()).len(), 2 + 2 + 2, "and no later one takes it away");
    office.close().await;
}

#[tokio::test]
async fn photos_that_the_hub_lost_are_told_and_hold_nothing_up() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let stop = Stop::first(&office.person("office").await).await;
    let op = tablet.answer(&stop, "fail");
    tablet.push(&[op]).await;
    let (kept, lost) = (tablet.upload(&photo(60, 9_000)).await, tablet.upload(&photo(61, 9_000)).await);
    let dir = TempDir::new().unwrap();
    let (before, after) = (dir.path().join("before"), dir.path().join("after"));
    back_up(&office, &before).await;
    for hash in [kept, lost] {
        let file = shelf(office.dir(), hash);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[4_000] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    }
    let made = back_up(&office, &before).await;
    assert_eq!(made["photos"]["lost"], serde_json::json!([]), "this one holds them from before");
    assert_eq!(numbers(&tablet).await, [2, 2]);

    std::fs::write(shelf(office.dir(), kept), photo(60, 9_000)).unwrap();
    let made = run(office.dir(), &["backup", "--to", after.to_str().unwrap()]).await;
    assert_eq!(made.status.code(), Some(1));
    assert!(text(&made.stdout).starts_with(&format!("lost {lost}\nthe backup is whole: ")), "{made:?}");
    assert!(text(&made.stderr).contains("verify --withdraw"), "{}", text(&made.stderr));
    let whole = run(office.dir(), &["verify", "--backup", after.to_str().unwrap()]).await;
    let said = text(&whole.stdout);
    assert!(said.contains(" 1 photo with "), "it calls verified what it holds: {whole:?}");
    assert!(
        said.contains("1 photo that the hub counted as here was lost when this backup was made"),
        "{said}"
    );
    let data = TempDir::new().unwrap();
    let done = run(data.path(), &["restore", "--from", after.to_str().unwrap()]).await;
    assert!(text(&done.stdout).contains("1 photo that the hub counted as here was lost"), "{done:?}");
    let manifest = after.join("manifest.json");
    let older = std::fs::read_to_string(&manifest).unwrap().replace("\"lost\": 1,", "");
    std::fs::write(&manifest, older).unwrap();
    let whole = run(office.dir(), &["verify", "--backup", after.to_str().unwrap()]).await;
    assert!(whole.status.success() && !text(&whole.stdout).contains("lost when"), "nobody knows: {whole:?}");
    assert_eq!(tablet.state(kept).await, "verified");
    assert_eq!(tablet.state(lost).await, "absent", "the tablet sends it again");
    assert_eq!(numbers(&tablet).await, [3, 2], "nobody forgets anything because of it");
    tablet.upload(&photo(61, 9_000)).await;
    // A missing file may lie on a disk that is not mounted.
    std::fs::remove_file(shelf(office.dir(), lost)).unwrap();
    let again = dir.path().join("again");
    let made = run(office.dir(), &["backup", "--to", again.to_str().unwrap()]).await;
    assert!(text(&made.stderr).contains("0 are spoilt"), "{}", text(&made.stderr));
    // Nor is what cannot be read gone for that: here no bytes come of it at all.
    std::fs::create_dir(shelf(office.dir(), lost)).unwrap();
    let unreadable = dir.path().join("unreadable");
    let made = run(office.dir(), &["backup", "--to", unreadable.to_str().unwrap()]).await;
    assert!(text(&made.stderr).contains("0 are spoilt"), "{}", text(&made.stderr));
    std::fs::remove_dir(shelf(office.dir(), lost)).unwrap();
    std::fs::write(shelf(office.dir(), lost), photo(61, 9_000)).unwrap();
    assert_eq!(tablet.state(lost).await, "verified", "it is still counted");
    office.close().await;
}

#[tokio::test]
async fn spoilt_photos_of_a_backup_are_copied_again_when_asked() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let hash = tablet.upload(&photo(60, 9_000)).await;
    let dir = TempDir::new().unwrap();
    let to = dir.path().to_str().unwrap();
    back_up(&office, dir.path()).await;
    let file = shelf(dir.path(), hash);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4_000] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let found = run(office.dir(), &["verify", "--backup", to]).await;
    assert_eq!((found.status.code(), text(&found.stdout)), (Some(1), format!("spoilt {hash} 9000 bytes\n")));
    assert!(text(&found.stderr).contains("run backup --again"), "{}", text(&found.stderr));
    let made = run(office.dir(), &["backup", "--again", "--to", to]).await;
    assert!(made.status.success(), "{made:?}");
    assert!(run(office.dir(), &["verify", "--backup", to]).await.status.success());
    office.close().await;
}

#[tokio::test]
async fn a_backup_does_not_go_where_it_would_do_no_good() {
    let office = Office::open().await;
    let dir = TempDir::new().unwrap();
    back_up(&office, dir.path()).await;
    // The hubs of these tests are copies of one; this is another.
    let another = TempDir::new().unwrap();
    Running::start(another.path(), &[]).await.terminate(Signal::TERM).await;
    for (data, to, told) in [
        (office.dir(), office.dir().join("backup"), "would take both along"),
        (&dir.path().join("none"), dir.path().join("to"), "there is no hub in"),
        (another.path(), dir.path().to_owned(), "holds the backup of another hub"),
    ] {
        let refused = run(data, &["backup", "--to", to.to_str().unwrap()]).await;
        assert!(!refused.status.success());
        assert!(text(&refused.stderr).contains(told), "{}", text(&refused.stderr));
    }
    assert!(!dir.path().join("none").exists());
    office.close().await;
}
