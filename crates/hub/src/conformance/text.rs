//! Text that somebody else chose: kept as it came, whatever a database thinks of it.

use super::kit::{MORNING, StillWorld, Tablet, answers, check, garden, log};
use crate::demo;
use crate::secret::PasswordHash;
use crate::store::{Enrolment, NewDevice, Store, User};
use crate::world::World;
use serde_json::json;
use standpipe_domain::answer::Outcome;
use standpipe_domain::ids::{DeviceId, Millis, Sha256};
use standpipe_domain::record::entity;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::pen::Draft;
use standpipe_oplog::seal::jwk;
use standpipe_oplog::wire::MAX_BODY;
use uuid::Uuid;

/// A NUL, an escape, what stands beside the basic plane, a combining accent, what looks like a statement.
const ODD: &str = "a\0b\u{1b}\u{10ffff}e\u{301}';--\\\"?$1%\u{feff}";

pub async fn an_operation_may_hold_any_text(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let before = log(store).await.next;
    let check = check("P1-KZ").0;
    let ids = tablet
        .record(
            store,
            [
                Draft::set(entity::CHECK, check, ODD, json!(ODD), None),
                Draft::set(ODD, Uuid::from_u128(7), "x", json!({ ODD: [ODD] }), None),
                Draft::add(ODD, Uuid::from_u128(7), ODD, json!(ODD)),
            ],
        )
        .await;
    let bodies: Vec<_> = tablet.written.iter().map(|written| written.body.clone()).collect();
    for _ in ["as it came", "made anew"] {
        let page = store.page(demo::site(), before, 10, MAX_BODY).await.unwrap();
        assert_eq!(page.ops.iter().map(|op| op.body.clone()).collect::<Vec<_>>(), bodies, "byte for byte");
        let shown = store.view(move |records| records.shown(check)).await.unwrap();
        assert_eq!(shown[ODD], json!(ODD));
        let members = store.view(|records| records.members(Uuid::from_u128(7), ODD)).await.unwrap();
        assert_eq!(members.iter().map(|side| side.rev).collect::<Vec<_>>(), ids[2..]);
        let known = store.transact(|ledger| ledger.known_as(Uuid::from_u128(7))).await.unwrap();
        assert_eq!(known, Some((demo::site(), ODD.to_owned())));
        store.rebuild().await.unwrap();
    }
}

pub async fn what_is_set_aside_may_hold_any_text(store: &dyn Store) {
    let (world, mut tablet) = garden(store).await;
    tablet.record(store, [answers(check("P1-KZ"), "panel-clear", Outcome::Pass, None)]).await;
    // No JSON, and a part of some.
    let lines = [ODD, "{\"entity\":\"a\\u0000b\",\"field\":\"c\\u0000d\"}", "\0"];
    for line in lines {
        tablet.scribble(line);
    }
    let forged = tablet.forge(Draft::set(ODD, check("P1-KZ").0, ODD, json!(ODD), None), world.uuid(), |_| ());
    let refused = tablet.push(store).await;
    assert_eq!(refused.len(), lines.len() + 1);
    let device = tablet.device.id;
    let aside = store
        .transact(move |ledger| {
            let places = ledger.aside(device)?;
            places.iter().map(|place| ledger.quarantined_at(device, place)).collect::<Result<Vec<_>, _>>()
        })
        .await
        .unwrap();
    let aside: Vec<_> = aside.into_iter().flatten().collect();
    let bodies: Vec<&str> = aside.iter().map(|line| &*line.body).collect();
    assert_eq!(bodies[..lines.len()], lines, "byte for byte");
    assert_eq!((aside[1].entity.as_str(), aside[1].field.as_deref()), ("a\0b", Some("c\0d")));
    let last = aside.last().unwrap();
    assert_eq!((last.op_id, &*last.entity, last.field.as_deref()), (Some(forged), ODD, Some(ODD)));
    let bytes: usize = bodies.iter().map(|body| body.len()).sum();
    let size = store.transact(move |ledger| ledger.aside_size(device)).await.unwrap();
    assert_eq!(size, (4, bytes as u64));
    let shown = store.set_aside().await.unwrap().listed;
    assert!(shown.iter().any(|line| line.entity == ODD && line.field.as_deref() == Some(ODD)));
    // What is the same work leaves, found by its bytes.
    let op: Op = tablet.written.last().unwrap().op.clone();
    store.transact(move |ledger| ledger.release(&op)).await.unwrap();
    assert_eq!(store.set_aside().await.unwrap().listed.len(), lines.len());
}

pub async fn names_may_be_any_text(store: &dyn Store) {
    let (world, _) = garden(store).await;
    let person = demo::person("inspector");
    let user = User { name: ODD.into(), password: PasswordHash::from_phc("$argon2id$x".into()), person };
    store.put_user(user).await.unwrap();
    assert_eq!(store.user(ODD).await.unwrap().unwrap().name, ODD);
    assert!(store.user("a").await.unwrap().is_none(), "all of it is the name");

    let code = sha256(b"code");
    let expires = Millis(MORNING.0 + 10);
    store.offer(Enrolment { code, name: ODD.into(), person, expires }).await.unwrap();
    let device = store.enrol(code, new(&world), MORNING).await.unwrap().unwrap();
    assert_eq!(device.name, ODD);
    assert_eq!(store.device_by_token(sha256(b"token")).await.unwrap(), Some(device.clone()));
    store.seen(device.id, ODD, -1, MORNING).await.unwrap();
    let tablets = store.tablets().await.unwrap();
    let mine = tablets.iter().find(|tablet| tablet.id == device.id).unwrap();
    assert_eq!((&*mine.name, mine.version.as_deref(), &*mine.person_name), (ODD, Some(ODD), "检查员甲"));
}

fn new(world: &StillWorld) -> NewDevice {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let (id, token) = (DeviceId(world.uuid()), sha256(b"token"));
    NewDevice { id, key: jwk(&key.verifying_key()), token, version: ODD.into() }
}

/// What is listed by name is in the order of bytes, whichever language the database's server speaks.
pub async fn what_is_listed_is_in_the_order_of_its_bytes(store: &dyn Store) {
    let (_, mut tablet) = garden(store).await;
    let names = ["zebra", "Zebra", "ähre", "a b", "ab", "A", "10", "9", "_", "锚"];
    let id = Uuid::from_u128(7);
    let set = |name: &&str| Draft { kind: Kind::Set, ..Draft::set("thing", id, *name, json!(1), None) };
    tablet.record(store, names.iter().map(set)).await;
    let fields: Vec<String> = store
        .view(move |records| Ok(records.sides(id)?.into_iter().map(|(field, _)| field).collect()))
        .await
        .unwrap();
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(fields, sorted);
    let other = Tablet::enrol(store, &tablet.world, "Aa").await;
    let tablets = store.tablets().await.unwrap();
    let listed: Vec<&str> = tablets.iter().map(|tablet| &*tablet.name).collect();
    assert_eq!(listed, ["Aa's tablet", "inspector's tablet"]);
    assert_eq!(tablets[0].id, other.device.id);
    assert_eq!(tablets[0].person_name, "", "nobody knows who that is");
    // Hashes come in the order of their bytes, too.
    for first in [0x80, 0x7f, 0x00, 0xff] {
        let sha256 = Sha256([first; 32]);
        let (bytes, media_type) = (1, "image/jpeg".into());
        store
            .put_blob(crate::blobs::Blob { sha256, bytes, media_type, verified_at: MORNING }, None)
            .await
            .unwrap();
    }
    let blobs = store.blobs(None, 10).await.unwrap();
    assert_eq!(blobs.iter().map(|blob| blob.sha256.0[0]).collect::<Vec<_>>(), [0x00, 0x7f, 0x80, 0xff]);
}
