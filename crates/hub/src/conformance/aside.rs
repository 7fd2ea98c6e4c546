//! What is told of what was set aside.

use super::kit::{MORNING, answer, check, finding, garden, give_roles, photo, round};
use super::seals;
use crate::demo;
use crate::store::Store;
use crate::world::{World, day};
use serde_json::{Value, json};
use standpipe_domain::answer::{Answer, NOTE_LIMIT, Outcome};
use standpipe_domain::office::Quarantined;
use standpipe_domain::record::{entity, set};
use standpipe_domain::sync::Author;
use standpipe_oplog::op::Kind;
use standpipe_oplog::pen::Draft;
use standpipe_oplog::seal::seal;

const ROOM: &str = "P1-KZ";

/// The field, what it asks and its value, of the first that was recorded.
fn first(line: &Quarantined) -> (&str, Option<&str>, &Value) {
    let told = &line.content[0];
    (&told.field, told.asked.as_ref().map(|item| &*item.question.zh), &told.value)
}

fn name(line: &Quarantined) -> &str {
    line.about.as_ref().and_then(|about| about.name.as_ref()).map_or("", |name| &name.zh)
}

pub async fn who_recorded_what_about_which_thing_is_told_of_what_was_set_aside(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    let (_, payload) = seals::recorded(store, &mut tablet).await;
    let view = store.round(round(), day(MORNING)).await.unwrap().unwrap();
    let asset = &view.checks.iter().find(|stop| stop.id == check(ROOM)).unwrap().asset;
    let question = |item: &str| {
        let list =
            view.checks.iter().find(|stop| stop.id == check(ROOM)).unwrap().checklist.as_ref().unwrap();
        list.item(item).unwrap().question.zh.clone()
    };
    give_roles(store, &world, "inspector", json!(["reader"])).await;

    let note = Answer { note: "面板报三号回路故障".into(), ..answer(Outcome::Fail) };
    let (id, begins) = finding(check(ROOM), "panel-clear", "回路故障");
    let (sha256, of_item) = photo(entity::CHECK, check(ROOM).0, b"panel");
    let of_item = match of_item.value {
        Value::Object(mut fields) => {
            fields.insert("item".into(), json!("log-filled"));
            Draft { value: Value::Object(fields), ..of_item }
        }
        _ => unreachable!("evidence is an object"),
    };
    let signed = seal(&payload, tablet.device.id, &tablet.key).unwrap();
    let drafts = [
        Draft::set(entity::CHECK, check(ROOM).0, "answer:panel-clear", json!(note), None),
        begins,
        Draft::set(entity::FINDING, id.0, "words", json!("三号回路故障，已报修"), None),
        of_item,
        Draft {
            kind: Kind::Seal,
            field: None,
            value: json!(signed),
            ..Draft::set(entity::SIGN_OFF, payload.sign_off.0, "", json!(null), None)
        },
        Draft::set(entity::PERSON, demo::person("office").0, "name", json!("张三"), None),
    ];
    for draft in drafts {
        tablet.write([draft]);
    }
    assert_eq!(tablet.push(store).await.len(), 6);

    let mut aside = store.set_aside().await.unwrap().listed;
    aside.reverse();
    let by = Author { name: "检查员甲".into(), at: MORNING };
    assert!(aside.iter().all(|line| line.author.as_ref() == Some(&by) && !line.cut));
    let [answered, begun, said, shot, signed, renamed] = aside.as_slice() else { panic!("{aside:?}") };
    for line in [answered, begun, said, shot] {
        assert_eq!(name(line), asset.name.zh);
        assert_eq!(line.about.as_ref().unwrap().path, asset.path, "down to the place");
    }
    let panel = question("panel-clear");
    assert_eq!(first(answered), ("answer:panel-clear", Some(&*panel), &json!(note)));
    assert_eq!(begun.content.len(), 4, "a finding that was set aside is told whole");
    assert_eq!(first(said), ("words", Some(&*panel), &json!("三号回路故障，已报修")), "it is nowhere else");
    let (field, asked, value) = first(shot);
    assert_eq!((field, asked), (set::PHOTOS, Some(&*question("log-filled"))));
    assert_eq!((&value["sha256"], &value["name"]), (&json!(sha256), &json!("现场.jpg")));
    assert_eq!((name(signed), first(signed)), (&*view.round.title.zh, ("name", None, &json!("一期代表"))));
    assert_eq!((name(renamed), first(renamed)), ("", ("name", None, &json!("张三"))));
    let after = store.seen_to().await.unwrap();
    assert_eq!((after.total, after.listed), (6, vec![]));
}

pub async fn of_what_nobody_means_well_with_no_more_is_told_than_a_person_reads(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    store.revoke(tablet.device.id).await.unwrap();
    tablet.device.revoked = true;
    let long = "字".repeat(100_000);
    let deep = (0..100).fold(json!(1), |value, _| json!({ "a": value }));
    let many: Value =
        (0..50_000).map(|n| (format!("f{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
    let id = check(ROOM).0;
    let whole = |value: &Value| Draft {
        field: None,
        value: value.clone(),
        ..Draft::set(entity::CHECK, id, "", json!(null), None)
    };
    let noted = json!({ "at": 0, "note": long, "outcome": "fail" });
    let drafts = [
        Draft::set(entity::CHECK, id, "answer:log-filled", noted, None),
        Draft::set(entity::CHECK, id, "answer:log-filled", deep, None),
        Draft::set(entity::CHECK, id, "answer:log-filled", vec![json!(1); 50_000].into(), None),
        whole(&many),
        Draft::set(entity::CHECK, id, &*long, json!(1), None),
        Draft::set("x".repeat(5_000).leak(), id, "f", json!(1), None),
    ];
    for draft in drafts {
        tablet.forge(draft, world.uuid(), |_| ());
        assert_eq!(tablet.push(store).await.len(), 1);
    }
    tablet.scribble("no operation");
    tablet.push(store).await;

    let mut aside = store.set_aside().await.unwrap().listed;
    aside.reverse();
    let size = |line: &Quarantined| serde_json::to_string(line).unwrap().chars().count();
    // The marks of JSON come on top: a member of one character takes four.
    let most = 5 * 2 * NOTE_LIMIT as usize;
    assert!(aside.iter().all(|line| size(line) < most), "{:?}", aside.iter().map(size).collect::<Vec<_>>());
    assert_eq!(
        aside.iter().map(|line| line.cut).collect::<Vec<_>>(),
        [true, true, true, true, true, true, false]
    );
    let told = &aside[0].content[0].value;
    assert_eq!(told["note"].as_str().unwrap().chars().count(), NOTE_LIMIT as usize + 1);
    assert_eq!(told["outcome"], "fail", "what stands behind a long text is told too");
    assert_eq!((&*aside[5].entity, aside[4].field.as_deref()), ("", None), "that is no name");
    let unread = &aside[6];
    assert_eq!((&unread.author, &unread.about, unread.content.len()), (&None, &None, 0));

    // More than anybody waits for: the newest are told.
    for _ in 0..9 {
        let large = json!("x".repeat(4_000_000));
        tablet.forge(Draft::set(entity::CHECK, id, "answer:log-filled", large, None), world.uuid(), |_| ());
        tablet.push(store).await;
    }
    let aside = store.set_aside().await.unwrap().listed;
    let told: Vec<_> = aside[..9].iter().map(|line| (line.author.is_some(), line.cut)).collect();
    assert_eq!(told, [[(true, true); 8].as_slice(), &[(false, true)]].concat());
}
