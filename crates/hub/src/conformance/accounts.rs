//! Who may come in.

use super::kit::{MORNING, StillWorld, Tablet, garden};
use crate::demo;
use crate::founding::{NotSetUp, OFFICE, found, set_password};
use crate::secret::Password;
use crate::store::{Enrolment, NewDevice, Session, Store};
use crate::world::World;
use standpipe_domain::ids::{DeviceId, Millis, Sha256};
use standpipe_domain::people::Role;
use standpipe_domain::permission::Act;
use standpipe_oplog::seal::jwk;
use std::sync::Arc;

fn hash(n: u8) -> Sha256 {
    Sha256([n; 32])
}

fn tablet(world: &Arc<StillWorld>, token: u8) -> NewDevice {
    let key = ed25519_dalek::SigningKey::from_bytes(&[token; 32]);
    NewDevice {
        id: DeviceId(world.uuid()),
        key: jwk(&key.verifying_key()),
        token: hash(token),
        version: "0.1".into(),
    }
}

pub async fn an_enrolment_code_works_once_and_only_in_time(store: &dyn Store) {
    let (world, _) = garden(store).await;
    let person = demo::person("inspector");
    let offer = |code, expires| Enrolment { code: hash(code), name: "平板".into(), person, expires };
    store.offer(offer(1, Millis(MORNING.0 + 10))).await.unwrap();
    store.offer(offer(2, Millis(MORNING.0 + 10))).await.unwrap();

    assert_eq!(store.enrol(hash(9), tablet(&world, 9), MORNING).await.unwrap(), None);
    let device = store.enrol(hash(1), tablet(&world, 8), MORNING).await.unwrap().unwrap();
    assert_eq!((device.person, device.site, device.revoked), (person, demo::site(), false));
    assert_eq!(store.device_by_token(hash(8)).await.unwrap().unwrap(), device);
    assert_eq!(store.enrol(hash(1), tablet(&world, 7), MORNING).await.unwrap(), None, "used");
    let late = Millis(MORNING.0 + 10);
    assert_eq!(store.enrol(hash(2), tablet(&world, 6), late).await.unwrap(), None, "expired");
}

pub async fn a_session_lasts_until_it_ends(store: &dyn Store) {
    let (world, _) = garden(store).await;
    set_password(store, world.clone(), "检查员甲", &Password::new("one")).await.unwrap();
    let person = demo::person("inspector");
    let begin = async |token| {
        let expires = Millis(MORNING.0 + 10);
        store.begin_session(Session { token: hash(token), person, expires }).await.unwrap();
    };
    begin(1).await;
    begin(2).await;
    assert_eq!(store.session(hash(1), MORNING).await.unwrap(), Some(person));
    assert_eq!(store.session(hash(1), Millis(MORNING.0 + 10)).await.unwrap(), None, "it ran out");
    store.end_session(hash(1)).await.unwrap();
    assert_eq!(store.session(hash(1), MORNING).await.unwrap(), None, "signed out");
    assert_eq!(store.session(hash(2), MORNING).await.unwrap(), Some(person));
    set_password(store, world, "检查员甲", &Password::new("two")).await.unwrap();
    assert_eq!(store.session(hash(2), MORNING).await.unwrap(), None, "the password changed");
}

pub async fn a_revoked_tablet_is_known_as_such(store: &dyn Store) {
    let (world, tablet) = garden(store).await;
    let other = Tablet::enrol(store, &world, "property").await;
    store.seen(tablet.device.id, "0.2", -40, Millis(MORNING.0 + 5)).await.unwrap();
    let revoked = store.revoke(tablet.device.id).await.unwrap().unwrap();
    assert!(revoked.revoked);
    assert_eq!(revoked.person_name, "检查员甲");
    let all = store.tablets().await.unwrap();
    let seen = |id| all.iter().find(|tablet| tablet.id == id).unwrap();
    let mine = seen(tablet.device.id);
    assert_eq!((mine.revoked, mine.version.as_deref()), (true, Some("0.2")));
    assert_eq!(mine.last_seen, Some(Millis(MORNING.0 + 5)));
    assert!(!seen(other.device.id).revoked);
    assert_eq!(store.revoke(DeviceId(world.uuid())).await.unwrap(), None);
}

pub async fn the_first_start_makes_one_administrator(store: &dyn Store) {
    let world = StillWorld::new();
    let password = found(store, world.clone()).await.unwrap().unwrap();
    assert!(found(store, world).await.unwrap().is_none(), "once");
    let user = store.user(OFFICE).await.unwrap().unwrap();
    assert!(password.fits(&user.password).unwrap());
    let who = store.who(user.person).await.unwrap().unwrap();
    assert_eq!(who.roles, [Role::Administrator]);
    assert!(who.acts.contains(&Act::Administer));
    assert_eq!(who.site.en, "This estate");
}

pub async fn a_password_is_set_for_who_is_there(store: &dyn Store) {
    let (world, _) = garden(store).await;
    let password = Password::new("新的");
    let nobody = set_password(store, world.clone(), "无此人", &password).await;
    assert!(matches!(nobody, Err(NotSetUp::Nobody(name)) if name == "无此人"));
    set_password(store, world.clone(), "监督员甲", &password).await.unwrap();
    let user = store.user("监督员甲").await.unwrap().unwrap();
    assert_eq!(user.person, demo::person("branch"));
    assert!(password.fits(&user.password).unwrap());

    // Somebody has an account, but no administrator: nothing is founded over their heads.
    assert!(found(store, world).await.unwrap().is_none());
}
