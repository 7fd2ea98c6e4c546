//! Hubs that are restored from a backup, and backups from which none can be.

use crate::backup::{back_up, durable, numbers, shelf};
use crate::office::Office;
use crate::stop::{run, text};
use crate::tablet::{Stop, Tablet};
use crate::upload::{files, photo};
use reqwest::Method;
use serde_json::Value;
use standpipe_domain::ids::Sha256;
use standpipe_oplog::wire::{Returned, decode_pull, encode_return};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

async fn restore(from: &Path, data: &Path, more: &[&str]) -> std::process::Output {
    let mut arguments = vec!["restore", "--from", from.to_str().unwrap()];
    arguments.extend(more);
    run(data, &arguments).await
}

/// Restores a backup. Gives the hub, which answers.
async fn restored(from: &Path) -> Office {
    let data = TempDir::new().unwrap();
    let done = restore(from, data.path(), &[]).await;
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("gives back, by itself"), "{}", text(&done.stdout));
    Office::within(data).await
}

fn spoil(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

/// A hub that took an operation and two photos, and a backup of it. Gives the tablet, and the photos' hashes.
async fn backed_up<'o>(office: &'o Office, to: &Path) -> (Tablet<'o>, [Sha256; 2]) {
    let mut tablet = Tablet::enrol(office).await;
    let stop = Stop::first(&office.person("office").await).await;
    let op = tablet.answer(&stop, "fail");
    tablet.push(&[op]).await;
    let hashes = [tablet.upload(&photo(60, 9_000)).await, tablet.upload(&photo(61, 9_000)).await];
    back_up(office, to).await;
    (tablet, hashes)
}

#[tokio::test]
async fn a_restored_hub_has_an_epoch_of_its_own_and_knows_its_marks_and_its_tablets() {
    let office = Office::open().await;
    let mut tablet = Tablet::enrol(&office).await;
    let stop = Stop::first(&office.person("office").await).await;
    let mut ops = vec![tablet.answer(&stop, "fail")];
    tablet.push(&ops).await;
    let kept = tablet.upload(&photo(60, 9_000)).await;
    let half = tablet.begin(&photo(62, 9_000)).await;
    tablet.send(&half, 0, &photo(62, 9_000)[..4_000]).await;
    let dir = TempDir::new().unwrap();
    back_up(&office, dir.path()).await;
    let before = tablet.greet().await;

    ops.push(tablet.find(&stop, "阀门生锈"));
    tablet.push(&ops).await;
    let lost = tablet.upload(&photo(61, 9_000)).await;
    let head = before["head"].as_u64().unwrap();
    let page = tablet.ask(Method::GET, &format!("/sync/pull?after={head}")).send().await.unwrap();
    let (_, since) = decode_pull(&page.bytes().await.unwrap()).unwrap();
    assert!(since.len() > 1, "its own, and the issue that the office opened");
    // The disk is lost with everything on it.
    let cookie = office.person("office").await.cookie;
    let tablet = tablet.leave();
    drop(office.close().await);

    let office = restored(dir.path()).await;
    let tablet = tablet(&office);
    let after = tablet.greet().await;
    assert_ne!(after["hub_epoch"], before["hub_epoch"]);
    for same in ["acknowledged", "head", "device", "person", "revoked"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!(numbers(&tablet).await, [1, 1], "it was restored from its first");
    assert!(after["durable_seq"].as_u64() <= after["acknowledged"].as_u64());
    assert_eq!(tablet.state(kept).await, "verified");
    assert_eq!(tablet.state(lost).await, "absent");
    let back = tablet.ask(Method::GET, &format!("/blobs/{kept}/original")).send().await.unwrap();
    assert_eq!(back.bytes().await.unwrap(), photo(60, 9_000));
    let begun = tablet.ask(Method::HEAD, &half).send().await.unwrap();
    assert_eq!(begun.status(), 404, "no backup holds half a photo");
    let signed_in = office.ask(Method::GET, "/api/v1/session").header("Cookie", cookie).send().await.unwrap();
    assert_eq!(signed_in.status(), 401, "who signed in since has to again");

    let returned: Vec<_> = since
        .iter()
        .map(|one| {
            let receipt = one.receipt.clone().unwrap();
            Returned { at: one.at, receipt, body: one.body.clone() }
        })
        .collect();
    let body = encode_return(&returned, false).unwrap();
    let answer = tablet.ask(Method::POST, "/sync/return").body(body).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer, serde_json::json!({ "taken": since.len(), "refused": [] }), "it knows its own marks");
    let pushed: Value = tablet.push(&ops).await.json().await.unwrap();
    assert_eq!((&pushed["acknowledged"], &pushed["quarantined"]), (&2.into(), &Value::Array(vec![])));
    assert_eq!(tablet.upload(&photo(61, 9_000)).await, lost);

    // Its next backup is its own, also where the last one lies.
    back_up(&office, dir.path()).await;
    assert_eq!(durable(&tablet).await, 2);
    // That from before is kept apart, whatever is backed up after it.
    back_up(&office, dir.path()).await;
    let apart = dir.path().join(format!("before-{}", before["hub_epoch"].as_str().unwrap()));
    for folder in files(&dir.path().join("blobs")) {
        let name = folder.strip_prefix(dir.path()).unwrap();
        fs::create_dir_all(apart.join(name).parent().unwrap()).unwrap();
        fs::copy(&folder, apart.join(name)).unwrap();
    }
    let older = restored(&apart).await;
    let tablet = tablet.leave()(&older);
    assert_eq!(tablet.greet().await["acknowledged"], before["acknowledged"]);
    office.close().await;
}

#[tokio::test]
async fn what_was_signed_on_a_tablet_that_joined_after_the_backup_holds() {
    let office = Office::open().await;
    Tablet::enrol(&office).await;
    let reader = office.person("office").await;
    let stop = Stop::first(&reader).await;
    let path = format!("/rounds/{}", reader.get("/rounds").await[0]["id"].as_str().unwrap());
    let read = async |office: &Office| office.person("office").await.get(&path).await;
    let dir = TempDir::new().unwrap();
    back_up(&office, dir.path()).await;

    let mut tablet = Tablet::enrol(&office).await;
    let head = tablet.greet().await["head"].as_u64().unwrap();
    let round = read(&office).await;
    let answer = tablet.answer(&stop, "pass");
    let taken = tablet.seal(&round, 0, &answer);
    let waits = tablet.seal(&round, 1, &answer);
    tablet.push(&[answer, taken]).await;
    let page = tablet.ask(Method::GET, &format!("/sync/pull?after={head}")).send().await.unwrap();
    let (_, since) = decode_pull(&page.bytes().await.unwrap()).unwrap();
    let seals = |round: &Value| {
        let of = |seal: &Value| ["genuine", "known", "unchanged"].map(|what| seal[what].as_bool().unwrap());
        round["seals"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(seals(&read(&office).await), [[true; 3]]);
    let tablet = tablet.leave();
    drop(office.close().await);

    let office = restored(dir.path()).await;
    let refused = tablet(&office).ask(Method::GET, "/sync/pull?after=0").send().await.unwrap();
    assert_eq!(refused.status(), 401, "it is not known any more");
    let mut again = Tablet::enrol(&office).await;
    let returned =
        since.into_iter().map(|one| Returned { at: one.at, receipt: one.receipt.unwrap(), body: one.body });
    let body = encode_return(&returned.collect::<Vec<_>>(), false).unwrap();
    let answer: Value =
        again.ask(Method::POST, "/sync/return").body(body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["refused"], Value::Array(vec![]));
    assert_eq!(seals(&read(&office).await), [[true, false, true]], "the office countersigned it");

    let waited = again.adopt(&waits);
    let pushed: Value = again.push(&[waited]).await.json().await.unwrap();
    assert_eq!(pushed["quarantined"], Value::Array(vec![]));
    let round = read(&office).await;
    assert_eq!(seals(&round), [[true, false, true]; 2]);
    assert!(round["seals"].as_array().unwrap().iter().all(|seal| seal["countersigned"].is_i64()));
    assert_eq!(round["line"]["signed"], 2);
    office.close().await;
}

#[tokio::test]
async fn a_backup_without_its_manifest_or_its_database_restores_nothing() {
    let office = Office::open().await;
    let dir = TempDir::new().unwrap();
    let to = dir.path().join("backup");
    backed_up(&office, &to).await;
    let manifest = to.join("manifest.json");
    let text_of = fs::read_to_string(&manifest).unwrap();
    let database =
        to.join(serde_json::from_str::<Value>(&text_of).unwrap()["database"]["file"].as_str().unwrap());
    let bytes = fs::read(&database).unwrap();
    let data = dir.path().join("data");
    let refused = async |told: &str| {
        let refused = restore(&to, &data, &["--without-damaged"]).await;
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains(told), "{}", text(&refused.stderr));
        assert!(!data.exists(), "nothing was written");
        fs::write(&manifest, &text_of).unwrap();
        fs::write(&database, &bytes).unwrap();
    };
    fs::remove_file(&manifest).unwrap();
    refused("Name the folder that `standpipe-hub backup --to` wrote to").await;
    spoil(&database);
    refused("has other bytes than were written. Nothing was restored; take another backup").await;
    fs::remove_file(&database).unwrap();
    refused("cannot be read").await;
    fs::write(&manifest, text_of.replace("\"dev_seq\": 1", "\"dev_seq\": 2")).unwrap();
    refused("manifest.json does not say what its database").await;
    fs::write(&manifest, &text_of[..text_of.len() / 2]).unwrap();
    refused("manifest.json cannot be read").await;
    fs::write(&manifest, text_of.replace("\"format\": 1", "\"format\": 2")).unwrap();
    refused("made by a newer Standpipe").await;
    let outside = text_of.replace("\"file\": \"hub-", "\"file\": \"../hub-");
    assert_ne!(outside, text_of);
    fs::write(&manifest, outside).unwrap();
    refused("names no database").await;
    let done = restore(&to, &data, &[]).await;
    assert!(done.status.success(), "{done:?}");
    office.close().await;
}

#[tokio::test]
async fn a_backup_with_spoilt_photos_restores_without_them_only_when_told() {
    let office = Office::open().await;
    let dir = TempDir::new().unwrap();
    let (tablet, [spoilt, missing]) = backed_up(&office, dir.path()).await;
    let second = TempDir::new().unwrap();
    back_up(&office, second.path()).await;
    spoil(&shelf(dir.path(), spoilt));
    fs::remove_file(shelf(dir.path(), missing)).unwrap();
    let unfinished = TempDir::new().unwrap();
    let refused = restore(dir.path(), unfinished.path(), &[]).await;
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    assert!(told.contains("2 photos are missing") && told.contains("--without-damaged"), "{told}");
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["verify"]] {
        let refused = run(unfinished.path(), command).await;
        assert!(text(&refused.stderr).contains("did not end: run it again"), "{refused:?}");
    }
    assert!(!unfinished.path().join("hub.db").exists(), "nobody takes it for an empty hub");

    // Another backup has them.
    let done = restore(second.path(), unfinished.path(), &[]).await;
    assert!(done.status.success(), "{done:?}");
    assert!(
        text(&run(unfinished.path(), &["verify"]).await.stdout)
            .starts_with("2 photos are whole, 0 missing, 0 spoilt")
    );

    let data = TempDir::new().unwrap();
    let done = restore(dir.path(), data.path(), &["--without-damaged"]).await;
    assert!(done.status.success(), "{done:?}");
    for hash in [spoilt, missing] {
        assert!(text(&done.stdout).contains(&format!("lost {hash}\n")), "{done:?}");
    }
    let tablet = tablet.leave();
    drop(office.close().await);
    let office = Office::within(data).await;
    let tablet = tablet(&office);
    for (hash, seed) in [(spoilt, 60), (missing, 61)] {
        assert_eq!(tablet.state(hash).await, "absent");
        assert_eq!(tablet.upload(&photo(seed, 9_000)).await, hash, "the tablet sends it again");
        assert_eq!(tablet.state(hash).await, "verified");
    }
    office.close().await;
}

#[tokio::test]
async fn a_backup_is_restored_into_nothing_only() {
    let office = Office::open().await;
    let dir = TempDir::new().unwrap();
    backed_up(&office, dir.path()).await;
    let full = TempDir::new().unwrap();
    fs::write(full.path().join("holiday.jpg"), "x").unwrap();
    for data in [full.path(), office.dir()] {
        let refused = restore(dir.path(), data, &[]).await;
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains("is not empty"), "{}", text(&refused.stderr));
    }
    assert_eq!(fs::read_dir(full.path()).unwrap().count(), 1);
    let inside = restore(dir.path(), &dir.path().join("data"), &[]).await;
    assert!(text(&inside.stderr).contains("would take both along"), "{inside:?}");
    office.close().await;
}
