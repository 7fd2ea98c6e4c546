//! Finding an asset, offline.

use super::*;
use crate::testing::{a_place, an_asset, asset, place};
use standpipe_domain::asset::AssetKind;
use standpipe_domain::place::PlaceKind;
use standpipe_domain::words::Words;

fn found(tablet: &Tablet, text: &str) -> Vec<u128> {
    let lines = tablet.engine.search(text).unwrap();
    lines.iter().map(|line| line.id.0.as_u128() - asset(0).0.as_u128()).collect()
}

#[test]
fn two_chinese_characters_a_tag_or_a_place_find_it() {
    let tablet = Tablet::new();
    assert_eq!(found(&tablet, "立管"), [1, 3, 5]);
    assert_eq!(found(&tablet, "灭火器"), [0, 2, 4]);
    assert_eq!(found(&tablet, "extinguisher"), [0, 2, 4]);
    assert_eq!(found(&tablet, "ZJ-000004"), [4]);
    assert_eq!(found(&tablet, "zj 000004"), [4]);
    assert_eq!(found(&tablet, "4栋2层"), [2, 3]);
    assert_eq!(found(&tablet, "2层 立管"), [3]);
    assert_eq!(found(&tablet, "水泵"), Vec::<u128>::new());
    assert_eq!(found(&tablet, " \" NEAR *"), Vec::<u128>::new());
    assert_eq!(found(&tablet, ""), Vec::<u128>::new());
}

#[test]
fn a_renamed_place_or_asset_is_found_by_its_new_name_only() {
    let mut tablet = Tablet::new();
    tablet.office.write([
        a_place(1, PlaceKind::Building, Some(0), Words::new("九栋", "Building 9")),
        an_asset(0, AssetKind::Extinguisher, Words::new("推车灭火器", "Wheeled extinguisher"), 2),
    ]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert_eq!(found(&tablet, "九栋").len(), 6);
    assert_eq!(found(&tablet, "4栋"), Vec::<u128>::new());
    assert_eq!(found(&tablet, "推车"), [0]);
}

#[test]
fn places_that_stand_in_each_other_do_not_hang_the_tablet() {
    let mut tablet = Tablet::new();
    tablet.office.write([
        a_place(0, PlaceKind::Phase, Some(1), Words::same("A")),
        a_place(1, PlaceKind::Building, Some(0), Words::same("B")),
    ]);
    tablet.office.deliver(tablet.engine.store()).unwrap();
    assert_eq!(found(&tablet, "立管").len(), 3);
    assert_eq!(tablet.engine.asset(asset(0)).unwrap().asset.path.last().unwrap().en, "Floor 1");
    assert_ne!(place(0), place(1));
}
