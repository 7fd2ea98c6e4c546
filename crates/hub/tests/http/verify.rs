//! What is found of a hub's data folder, and what is brought back into it.

use crate::backup::{back_up, shelf};
use crate::office::Office;
use crate::stop::{Running, run, text};
use crate::tablet::{Stop, Tablet};
use crate::upload::photo;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use standpipe_domain::ids::Sha256;
use standpipe_hub::blobs::Book;
use standpipe_oplog::chain::sha256;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn evidence(bytes: &[u8], name: &str) -> Value {
    json!({ "sha256": sha256(bytes), "media_type": "image/jpeg", "bytes": bytes.len(), "name": name,
            "at": 1_688_176_800_000_i64 })
}

fn spoil(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn only_a_hub_that_serves_is_founded() {
    let dir = TempDir::new().unwrap();
    for data in [dir.path(), &dir.path().join("none")] {
        for command in [
            &["verify"][..],
            &["verify", "--withdraw"],
            &["user", "set-password", "office"],
            &["tablet", "enrol", "--name", "平板", "--person", "管理员"],
        ] {
            let refused = run(data, command).await;
            assert_eq!(refused.status.code(), Some(1), "{command:?}");
            let told = text(&refused.stderr);
            assert!(told.contains("there is no hub in") && told.contains("--data"), "{command:?}: {told}");
            assert_eq!(text(&refused.stdout), "");
        }
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}

#[tokio::test]
async fn verify_finds_what_the_disk_lost_and_withdraws_it_when_told() {
    let office = Office::open().await;
    let tablet = Tablet::enrol(&office).await;
    let hashes = [
        tablet.upload(&photo(50, 2_000)).await,
        tablet.upload(&photo(51, 2_000)).await,
        tablet.upload(&photo(52, 2_000)).await,
    ];
    let (data, token) = (office.dir().to_owned(), tablet.token.clone());
    let whole = run(&data, &["verify"]).await;
    assert!(whole.status.success());
    assert_eq!(text(&whole.stdout), "3 photos are whole, 0 missing, 0 spoilt\n");

    let file = |at: usize| shelf(&data, hashes[at]);
    std::fs::remove_file(file(0)).unwrap();
    let mut bytes = std::fs::read(file(1)).unwrap();
    bytes[1_000] ^= 1;
    std::fs::write(file(1), bytes).unwrap();
    let told = tablet.greet().await["run"].clone();
    for (arguments, state) in [(&["verify"][..], "verified"), (&["verify", "--withdraw"], "absent")] {
        assert_eq!(tablet.greet().await["run"], told, "nothing was withdrawn yet");
        let found = run(&data, arguments).await;
        assert_eq!(found.status.code(), Some(1));
        let said = text(&found.stdout);
        assert!(said.contains(&format!("missing {} 2000 bytes\n", hashes[0])), "{said}");
        assert!(said.contains(&format!("spoilt {} 2000 bytes\n", hashes[1])), "{said}");
        assert!(said.ends_with("1 photo is whole, 1 missing, 1 spoilt\n"), "{said}");
        assert_eq!(tablet.state(hashes[1]).await, state);
    }
    assert_ne!(tablet.greet().await["run"], told, "tablets hear that something is gone");
    assert_eq!(tablet.state(hashes[0]).await, "absent");
    for (at, seed) in [(0, 50), (1, 51)] {
        assert_eq!(
            tablet.upload(&photo(seed, 2_000)).await,
            hashes[at],
            "a tablet that has it sends it again"
        );
    }
    assert!(run(&data, &["verify"]).await.status.success());
    let back = office.ask(Method::GET, &format!("/api/v1/blobs/{}/original", hashes[1])).bearer_auth(token);
    assert_eq!(back.send().await.unwrap().bytes().await.unwrap(), photo(51, 2_000));
    office.close().await;
}

#[tokio::test]
async fn verify_names_the_photos_that_records_speak_of_and_that_are_not_here() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let stop = Stop::first(&office.person("office").await).await;
    let mut ops = vec![tablet.answer(&stop, "fail"), tablet.find(&stop, "阀门生锈")];
    for seed in 60..82 {
        ops.push(tablet.attach(&stop, evidence(&photo(seed, 2_000), &format!("阀门 {seed}.jpg"))));
    }
    tablet.push(&ops).await;
    let here = tablet.upload(&photo(60, 2_000)).await;
    let found = run(office.dir(), &["verify"]).await;
    assert_eq!(found.status.code(), Some(0), "they may be on their way");
    let said = text(&found.stdout);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "1 photo is whole, 0 missing, 0 spoilt");
    assert!(lines[1].starts_with("and 21 photos that records name are not here: "), "{said}");
    assert_eq!(lines.len(), 2 + 20 + 1, "{said}");
    assert_eq!(lines[22], "  and 1 more");
    assert!(lines[2].contains("阀门 61.jpg") && lines[2].contains("recorded by 检查员甲"), "{said}");
    let asset = office.person("office").await;
    let round = asset.get("/rounds").await[0]["id"].as_str().unwrap().to_owned();
    let asset = asset.get(&format!("/rounds/{round}")).await["checks"][0]["asset"].clone();
    for part in [&asset["name"]["zh-CN"], &asset["tag"], &asset["path"][0]["zh-CN"]] {
        assert!(lines[2].contains(part.as_str().unwrap()), "{part}: {}", lines[2]);
    }
    assert!(!said.contains(&sha256(&photo(61, 2_000)).to_string()), "no bare hashes");

    // What is withdrawn is told the same way, with one photo and in the singular.
    for seed in 61..82 {
        tablet.upload(&photo(seed, 2_000)).await;
    }
    fs::remove_file(shelf(office.dir(), here)).unwrap();
    let found = run(office.dir(), &["verify", "--withdraw"]).await;
    assert_eq!(found.status.code(), Some(1));
    let said = text(&found.stdout);
    assert!(said.starts_with(&format!("missing {here} 2000 bytes: 阀门 60.jpg")), "{said}");
    assert!(text(&found.stderr).contains("1 photo is missing and 0 are spoilt"), "{}", text(&found.stderr));
    let found = run(office.dir(), &["verify"]).await;
    assert_eq!(found.status.code(), Some(0));
    assert!(text(&found.stdout).contains("and 1 photo that records name is not here: "), "{found:?}");
    office.close().await;
}

#[tokio::test]
async fn photos_come_back_from_a_backup_while_the_hub_works() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let stop = Stop::first(&office.person("office").await).await;
    let mut ops = vec![tablet.answer(&stop, "fail"), tablet.find(&stop, "阀门生锈")];
    for seed in 60..64 {
        ops.push(tablet.attach(&stop, evidence(&photo(seed, 9_000), &format!("{seed}.jpg"))));
    }
    tablet.push(&ops).await;
    let mut hashes: Vec<Sha256> = Vec::new();
    for seed in 60..64 {
        hashes.push(tablet.upload(&photo(seed, 9_000)).await);
    }
    let [missing, spoilt, withdrawn, gone] = hashes[..] else { panic!("four photos") };
    let dir = TempDir::new().unwrap();
    back_up(&office, dir.path()).await;
    fs::remove_file(shelf(office.dir(), missing)).unwrap();
    spoil(&shelf(office.dir(), spoilt));
    office.store.lost_blob(withdrawn).await.unwrap();
    fs::remove_file(shelf(office.dir(), withdrawn)).unwrap();
    // Of this one neither has the bytes.
    fs::remove_file(shelf(office.dir(), gone)).unwrap();
    spoil(&shelf(dir.path(), gone));
    let wrong = run(office.dir(), &["verify", "--from", dir.path().join("none").to_str().unwrap()]).await;
    assert!(text(&wrong.stderr).contains("there is no folder `blobs` in"), "{wrong:?}");

    let from = ["verify", "--from", dir.path().to_str().unwrap()];
    let mended = run(office.dir(), &from).await;
    assert_eq!(mended.status.code(), Some(1), "one is not to be had");
    let said = text(&mended.stdout);
    assert!(said.contains("3 photos came back from "), "{said}");
    assert!(said.ends_with("3 photos are whole, 1 missing, 0 spoilt\n"), "{said}");
    assert!(text(&mended.stderr).contains("1 photo is missing"), "{}", text(&mended.stderr));
    for (hash, seed) in [(missing, 60), (spoilt, 61), (withdrawn, 62)] {
        assert_eq!(tablet.state(hash).await, "verified", "{seed}");
        assert!(fs::read(shelf(office.dir(), hash)).unwrap() == photo(seed, 9_000), "{seed}");
        let back = tablet.ask(Method::GET, &format!("/blobs/{hash}/original")).send().await.unwrap();
        assert!(back.bytes().await.unwrap() == photo(seed, 9_000), "{seed}");
    }
    assert!(!shelf(office.dir(), gone).exists(), "spoilt bytes are not brought back");
    assert_eq!(fs::read_dir(office.dir().join("uploads")).unwrap().count(), 0, "nothing is left behind");

    fs::write(shelf(dir.path(), gone), photo(63, 9_000)).unwrap();
    let mended = run(office.dir(), &from).await;
    assert!(mended.status.success(), "{mended:?}");
    assert!(text(&mended.stdout).ends_with("4 photos are whole, 0 missing, 0 spoilt\n"), "{mended:?}");
    office.close().await;
}

#[tokio::test]
async fn a_damaged_database_is_told_by_its_file_and_left_as_it_is() {
    let dir = TempDir::new().unwrap();
    Running::start(dir.path(), &["--demo"]).await.terminate(Signal::TERM).await;
    let file = dir.path().join("hub.db");
    let sound = fs::read(&file).unwrap();
    let to = TempDir::new().unwrap();
    let backup = ["backup", "--to", to.path().to_str().unwrap()];
    let told = async |command: &[&str]| {
        let refused = run(dir.path(), command).await;
        assert_eq!(refused.status.code(), Some(1), "{command:?}");
        let told = text(&refused.stderr);
        let named = format!("the database {} is damaged", file.display());
        assert!(told.contains(&named) && told.contains("Do not delete it"), "{command:?}: {told}");
        assert!(told.contains("docs/operate.md"), "{command:?}: {told}");
    };
    let other = b"not a database, but of a whole page and more ".repeat(200);
    fs::write(&file, &other).unwrap();
    for command in [&["verify"][..], &["serve", "--listen", "127.0.0.1:0"], &backup] {
        told(command).await;
    }
    assert_eq!(fs::read(&file).unwrap(), other);
    // Where only what lies behind the first pages is spoilt, it opens, and the nightly backup is who finds it.
    let mut spoilt = sound;
    let half = spoilt.len() / 2;
    spoilt[half..].fill(0xa5);
    fs::write(&file, spoilt).unwrap();
    told(&backup).await;
}

#[tokio::test]
async fn root_makes_no_files_in_a_hub_of_another_account() {
    // Only root can give a file away; as anybody else there is nothing to be refused.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let dir = TempDir::new().unwrap();
    Running::start(dir.path(), &[]).await.terminate(Signal::TERM).await;
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    std::os::unix::fs::chown(dir.path().join("hub.db"), Some(54_321), None).unwrap();
    let to = TempDir::new().unwrap();
    for command in [
        &["backup", "--to", to.path().to_str().unwrap()][..],
        &["verify"],
        &["user", "set-password", "office"],
        &["migrate", "--from", dir.path().to_str().unwrap(), "--to", "postgres://nowhere"],
    ] {
        let refused = run(dir.path(), command).await;
        assert_eq!(refused.status.code(), Some(1), "{command:?}");
        let told = text(&refused.stderr);
        assert!(told.contains("sudo -u '#54321'"), "{command:?}: {told}");
    }
    assert_eq!(names(), before);
    assert_eq!(fs::read_dir(to.path()).unwrap().count(), 0);
}
