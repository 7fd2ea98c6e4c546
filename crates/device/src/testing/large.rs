//! Estates as large as the figures ask for.

use super::{a_check_of, a_place, an_asset, check, round};
use jiff::civil::Date;
use serde_json::{Map, Value, json};
use standpipe_domain::answer::{Answer, Outcome, Reading};
use standpipe_domain::asset::AssetKind;
use standpipe_domain::checklist::{AnswerKind, Item, newest_for};
use standpipe_domain::ids::{Millis, RoundId};
use standpipe_domain::place::PlaceKind;
use standpipe_domain::record::entity;
use standpipe_domain::words::Words;
use standpipe_oplog::pen::Draft;
use uuid::Uuid;

const STOPS: u32 = 100;
const ON_A_FLOOR: u32 = 20;

/// Names such as an estate has, so that two characters find many of them.
const NAMES: [(AssetKind, &str, &str); 6] = [
    (AssetKind::Extinguisher, "干粉灭火器", "Dry powder extinguisher"),
    (AssetKind::Standpipe, "消防立管", "Standpipe"),
    (AssetKind::IndoorHydrant, "室内消火栓", "Indoor hydrant"),
    (AssetKind::HoseReel, "消防软管卷盘", "Hose reel"),
    (AssetKind::Pump, "喷淋水泵", "Sprinkler pump"),
    (AssetKind::RoofTank, "屋顶水箱", "Roof tank"),
];

/// How large an estate is.
#[derive(Clone, Copy, Debug)]
pub struct Large {
    pub assets: u32,
    /// So many checks of them, in rounds of 100, one round a day.
    pub checks: u32,
    /// The last so many checks are open; all before are answered.
    pub open: u32,
}

impl Large {
    /// What wrote the estate, one transaction after the other. It stands on the place with the number 0, which is not
    /// among it. The last round is due on the day `last`.
    pub fn transactions(self, last: Date) -> impl Iterator<Item = Vec<Draft>> {
        let Self { assets, checks, open } = self;
        let floors = (0..assets.div_ceil(ON_A_FLOOR)).map(floor).collect();
        let assets_alone = (0..assets).map(|n| {
            let (kind, zh, en) = kind_of(n);
            vec![an_asset(n, kind, Words::new(zh, en), 10 + n / ON_A_FLOOR)]
        });
        let rounds = checks.div_ceil(STOPS);
        let visits = (0..checks).flat_map(move |n| {
            let kind = kind_of(n % assets).0;
            let begun = n.is_multiple_of(STOPS).then(|| {
                let days = i64::from(rounds - 1 - n / STOPS);
                let due = last.checked_sub(jiff::Span::new().days(days)).unwrap_or(last);
                vec![round(round_of(n), &due.to_string(), &[])]
            });
            let planned = vec![a_check_of(n, n % assets, round_of(n), n % STOPS, kind)];
            let answered = (n + open < checks).then(|| vec![answers(n, kind)]);
            begun.into_iter().chain([planned]).chain(answered)
        });
        [floors].into_iter().chain(assets_alone).chain(visits)
    }
}

fn floor(n: u32) -> Draft {
    let name = Words::new(
        format!("{}栋{}层", 1 + n / 33, 1 + n % 33),
        format!("Building {} floor {}", 1 + n / 33, 1 + n % 33),
    );
    a_place(10 + n, PlaceKind::Floor, Some(0), name)
}

fn kind_of(asset: u32) -> (AssetKind, &'static str, &'static str) {
    NAMES[asset as usize % NAMES.len()]
}

fn round_of(check: u32) -> RoundId {
    RoundId(Uuid::from_u128(0x3_0000_0000 + u128::from(check / STOPS)))
}

/// All answers of a check at once.
fn answers(n: u32, kind: AssetKind) -> Draft {
    let items = newest_for(kind).map(|list| list.items.as_slice()).unwrap_or_default();
    let fields: Map<String, Value> =
        items.iter().map(|item| (format!("answer:{}", item.id), json!(passing(item)))).collect();
    Draft::record(entity::CHECK, check(n).0, fields)
}

/// An answer that passes, given now.
pub fn passing(item: &Item) -> Answer {
    let pass = Answer {
        outcome: Outcome::Pass,
        reading: None,
        choice: None,
        note: String::new(),
        at: Millis(jiff::Timestamp::now().as_millisecond()),
    };
    match &item.answer {
        AnswerKind::PassFail => pass,
        AnswerKind::Text => Answer { note: "A-1024".into(), ..pass },
        AnswerKind::Choice { options } => {
            Answer { choice: options.first().map(|first| first.id.clone()), ..pass }
        }
        AnswerKind::Reading { unit, limit } => {
            let value = limit.min.or(limit.max).unwrap_or(1.0);
            Answer { reading: Some(Reading { value, unit: *unit }), ..pass }
        }
    }
}
