use super::Act;
use crate::dice::Dice;
use std::collections::BTreeMap;

/// What an act is about, of those that a temper can be about, and of those that none is.
fn about(act: &Act) -> Option<&'static str> {
    Some(match act {
        Act::Link { .. } => "links",
        Act::Fuse { .. } => "power",
        Act::Backup | Act::Restore { .. } | Act::Clone { .. } | Act::Copy { .. } | Act::Return { .. } => {
            "copies"
        }
        Act::Role { .. } | Act::JudgeAgain => "rights",
        Act::Full { .. } => "disks",
        Act::Clock { .. } => "clocks",
        Act::Join { .. } | Act::Revoke { .. } => "tablets",
        _ => return None,
    })
}

#[test]
fn a_temper_is_what_its_name_says_and_tells_of_everything_sometimes() {
    let mut told = BTreeMap::<(&str, u64), u32>::new();
    for seed in 0..1_500 {
        let temper = Dice::apart(seed, "story").below(6);
        // Each begins with three links.
        for about in super::told(seed).iter().skip(3).filter_map(|step| about(&step.act)) {
            *told.entry((about, temper)).or_default() += 1;
        }
    }
    let most = BTreeMap::from([("links", 1), ("power", 2), ("copies", 3), ("rights", 4)]);
    for about in ["links", "power", "copies", "rights", "disks", "clocks", "tablets"] {
        let counts: Vec<u32> =
            (0..6).map(|temper| told.get(&(about, temper)).copied().unwrap_or(0)).collect();
        assert!(counts.iter().all(|count| *count > 0), "of {about}: {counts:?}");
        if let Some(temper) = most.get(about) {
            let others = (0..6).filter(|other| other != temper);
            assert!(
                others
                    .max_by_key(|other| counts[*other])
                    .is_some_and(|other| counts[*temper] * 2 > counts[other] * 3),
                "of {about}: {counts:?}"
            );
        }
    }
}
