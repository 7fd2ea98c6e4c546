//! The first estate as a demonstration.

use super::kit::{StillWorld, log, round};
use crate::demo;
use crate::secret::Password;
use crate::store::Store;
use jiff::civil::date;
use standpipe_domain::asset::AssetKind;
use standpipe_domain::people::Role;
use standpipe_domain::round::RoundState;

pub async fn the_garden_is_loaded_once(store: &dyn Store) {
    let world = StillWorld::new();
    assert!(demo::load(store, world.clone()).await.unwrap());
    let first = log(store).await;
    assert!(!demo::load(store, world).await.unwrap(), "a second start");
    assert_eq!(log(store).await, first);
    for (name, _) in demo::ACCOUNTS {
        let user = store.user(name).await.unwrap().unwrap();
        assert!(store.who(user.person).await.unwrap().is_some(), "{name}");
    }
    let office = store.user("office").await.unwrap().unwrap();
    assert!(Password::new(demo::PASSWORD).fits(&office.password).unwrap());
}

pub async fn the_round_of_the_report_is_there(store: &dyn Store) {
    demo::estate(store, StillWorld::new()).await.unwrap();
    let site = store.site().await.unwrap().unwrap();
    assert_eq!((site.id, site.code.as_str(), site.name.zh.as_str()), (demo::site(), "ZJ", "中骏花园"));

    let lines = store.rounds(date(2023, 7, 1)).await.unwrap();
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!((line.id, line.stops, line.to_sign, line.state), (round(), 18, 3, RoundState::Planned));
    assert_eq!(store.rounds(date(2023, 7, 2)).await.unwrap()[0].state, RoundState::Overdue);

    let view = store.round(round(), date(2023, 7, 1)).await.unwrap().unwrap();
    let kinds: Vec<AssetKind> = view.checks.iter().map(|check| check.asset.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == AssetKind::ControlRoom).count(), 3);
    assert_eq!(kinds.iter().filter(|kind| **kind == AssetKind::Standpipe).count(), 5);
    assert_eq!(kinds[16..], [AssetKind::PipeWorks, AssetKind::PipeWorks]);
    assert!(view.checks.iter().all(|check| check.checklist.is_some()));
    let path: Vec<_> = view.checks[9].asset.path.iter().map(|words| words.zh.as_str()).collect();
    assert_eq!(path, ["一期", "4栋", "33层"]);
    assert_eq!(view.present.len(), 5);

    let directory = store.directory().await.unwrap();
    assert_eq!(directory.units.len(), 7);
    let with = |role| directory.people.iter().filter(|person| person.roles.contains(&role)).count();
    assert_eq!(with(Role::OwnerRepresentative), 3);
    assert_eq!((with(Role::Inspector), with(Role::Administrator), with(Role::UnitStaff)), (1, 1, 3));
}
