//! Whether nothing was lost, and everybody shows the same. Asked of the files, once nothing runs.

use super::office::Answered;
use super::rows::{self, Fields};
use super::{Fleet, Standing, TABLETS};
use crate::process::binary;
use anyhow::{Context, Result, ensure};
use standpipe_oplog::chain::sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use uuid::Uuid;

/// Why the hub may set aside what these tablets recorded: somebody had signed before it arrived, or somebody else had
/// moved the issue on.
const EXPECTED: [&str; 4] = ["sealed", "signed-otherwise", "not-from-here", "already-signed"];

/// What the hub was found to hold, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Operations of the log.
    pub ops: usize,
    /// Of them and of the quarantine, what the tablets' screens had said is saved.
    pub demanded: usize,
    /// Photos that the screens had said are saved.
    pub photos: usize,
    /// Operations in quarantine.
    pub set_aside: usize,
    /// Issues that were opened.
    pub issues: usize,
    /// Signatures that were given.
    pub sign_offs: usize,
}

impl Fleet {
    /// Demands everything of everybody.
    ///
    /// # Errors
    /// With the first thing that is not as it was promised.
    pub fn compare(&self, standings: &[Standing], answered: &Answered) -> Result<Held> {
        let folder = self.hub_folder();
        let hub = rows::database(&folder)?;
        let (ops, quarantine) = (rows::ops(&hub)?, rows::quarantine(&hub)?);
        // What it set aside is judged again when the app starts, and may have come into the log.
        let forgotten =
            self.set_aside.iter().find(|(op, code)| quarantine.get(*op) != Some(code) && !ops.contains(*op));
        ensure!(forgotten.is_none(), "the hub does not list any more what it had set aside: {forgotten:?}");
        let mut news = quarantine.iter().filter(|(op, _)| !self.set_aside.contains_key(*op));
        let unexpected = news.find(|(_, code)| !EXPECTED.contains(&code.as_str()));
        ensure!(unexpected.is_none(), "the hub set aside what it should take: {unexpected:?}");
        let (mut demanded, mut photos) = (BTreeSet::new(), BTreeMap::new());
        for number in 0..TABLETS {
            let saved = self.saved(number)?;
            let lost = saved.ops.iter().find(|op| !ops.contains(op) && !quarantine.contains_key(op));
            ensure!(lost.is_none(), "LOST: the operation {lost:?} of tablet {number} never came to the hub");
            demanded.extend(saved.ops);
            photos.extend(saved.photos);
        }
        for (photo, bytes) in &photos {
            let found = fs::read(rows::shelf(&folder, &photo.to_string()));
            let found = found.with_context(|| format!("LOST: the photo {photo} never came to the hub"))?;
            ensure!(
                found.len() as u64 == *bytes && sha256(&found) == *photo,
                "LOST: the photo {photo} is spoilt"
            );
        }
        answered.demand_of(&hub)?;

        let (fields, members, issues) =
            (rows::office_fields(&hub)?, rows::members(&hub)?, rows::issues(&hub)?);
        let mut first: Option<Vec<String>> = None;
        for (number, standing) in standings.iter().enumerate() {
            let who = format!("tablet {number}");
            let tablet = rows::tablet_database(&self.tablet_folder(number))?;
            differ(&who, &fields, &rows::tablet_fields(&tablet)?)?;
            differ(&format!("{who}'s sets"), &members, &rows::members(&tablet)?)?;
            ensure!(issues == rows::issues(&tablet)?, "{who} shows other issues than the hub");
            let own = rows::set_aside(&tablet)?;
            let unlike = own.iter().find(|(op, code)| quarantine.get(op) != Some(code));
            ensure!(unlike.is_none(), "{who} says that the hub set {unlike:?} aside; it did not");
            ensure!(
                standing.line.set_aside as usize == own.len(),
                "{who} counts other things set aside: {standing:?}"
            );
            let held = rows::ops(&tablet)?;
            let missing = ops.iter().find(|op| !held.contains(op));
            ensure!(missing.is_none(), "{who} does not have the hub's operation {missing:?}");
            let shown = rows::shown(&tablet)?;
            let same = first.get_or_insert_with(|| shown.clone());
            let unlike = same.iter().zip(&shown).find(|(a, b)| a != b);
            ensure!(
                unlike.is_none() && same.len() == shown.len(),
                "{who} shows other rows than tablet 0: {unlike:?}"
            );
        }
        self.verify()?;
        let sign_offs = hub.query_row("SELECT count(*) FROM sign_off", [], |row| row.get(0))?;
        Ok(Held {
            ops: ops.len(),
            demanded: demanded.len(),
            photos: photos.len(),
            set_aside: quarantine.len(),
            issues: issues.len(),
            sign_offs,
        })
    }

    /// The hub's own look at every photo.
    fn verify(&self) -> Result<()> {
        let said = Command::new(binary("standpipe-hub")?)
            .arg("verify")
            .arg("--data")
            .arg(self.hub_folder())
            .output()?;
        ensure!(said.status.success(), "standpipe-hub verify: {said:?}");
        Ok(())
    }
}

fn differ(who: &str, expected: &Fields, shown: &Fields) -> Result<()> {
    let unlike = expected.iter().find(|(field, sides)| shown.get(*field) != Some(sides));
    if let Some((field, sides)) = unlike {
        let found: Option<&Vec<Uuid>> = shown.get(field);
        anyhow::bail!("{who} shows {field:?} as {found:?}, the hub as {sides:?}");
    }
    let more = shown.iter().find(|(field, _)| !expected.contains_key(*field));
    ensure!(more.is_none(), "{who} shows {more:?}, the hub not at all");
    Ok(())
}
