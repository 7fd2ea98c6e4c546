//! `standpipe-hub verify`

use super::kept::Kept;
use super::{Failed, say};
use crate::blobs::{Blob, Blobs, Health, Spare};
use crate::count::{is, photos};
use crate::store::{Mention, NotHere};
use crate::world::{RealWorld, World};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use standpipe_domain::ids::Sha256;
use standpipe_domain::words::Words;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many photos are asked for at once.
const PAGE: usize = 256;
/// How many of those that are not here are told by what they are of: for each much is read.
const NAMED: u32 = 20;

/// What is done about photos that are not whole.
pub struct How {
    /// The backup that they are copied back from.
    pub from: Option<PathBuf>,
    /// Whether those that are not whole after that are no more counted as here.
    pub withdraw: bool,
}

/// What was found.
#[derive(Default)]
struct Found {
    missing: usize,
    spoilt: usize,
    back: usize,
}

impl Found {
    fn all(&self) -> usize {
        self.missing + self.spoilt + self.back
    }
}

pub async fn verify(data: &Path, kept: &Kept, how: &How) -> Result<(), Failed> {
    let spare = how.from.as_ref().map(|from| spare(from)).transpose()?;
    let blobs = Blobs::beside(data, kept.book(), Arc::new(RealWorld))?;
    let (bar, mut found, mut after) = (Bar::new(), Found::default(), None);
    loop {
        let page = blobs.check(after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.sha256);
        for (blob, health) in page {
            let is_named = found.all() < NAMED as usize;
            let (what, number) = match health {
                Health::Whole => {
                    bar.whole(blob.bytes);
                    continue;
                }
                Health::Missing => ("missing", &mut found.missing),
                Health::Spoilt => ("spoilt", &mut found.spoilt),
            };
            let mention = if is_named { kept.store().mention(blob.sha256).await? } else { None };
            let of = mention.map(|mention| format!(": {}", named(&mention))).unwrap_or_default();
            bar.say(&format!("{what} {} {} bytes{of}", blob.sha256, blob.bytes));
            if let Some(back) = mend(&blobs, spare.as_ref(), blob.sha256).await? {
                found.back += 1;
                bar.whole(back.bytes);
                continue;
            }
            *number += 1;
            if how.withdraw {
                blobs.withdraw(blob.sha256).await?;
            }
        }
    }
    if spare.is_some() {
        for sha256 in kept.store().hashes_not_here().await? {
            if let Some(back) = mend(&blobs, spare.as_ref(), sha256).await? {
                found.back += 1;
                bar.whole(back.bytes);
            }
        }
    }
    let Found { missing, spoilt, back } = found;
    let whole = bar.end();
    if let Some(from) = &how.from {
        say(&format!("{} came back from {}", photos(back), from.display()));
    }
    say(&format!("{} {} whole, {missing} missing, {spoilt} spoilt", photos(whole), is(whole)));
    say_not_here(&kept.store().not_here(NAMED).await?);
    if missing + spoilt > 0 { Err(Failed::NotWhole { missing, spoilt }) } else { Ok(()) }
}

/// The photos of a backup, or of the data folder on another disk.
fn spare(from: &Path) -> Result<Spare, Failed> {
    let dir = from.join("blobs");
    if !dir.is_dir() {
        return Err(Failed::NoSpare { path: from.to_owned() });
    }
    Ok(Spare::open(&dir, Arc::new(RealWorld))?)
}

async fn mend(blobs: &Blobs, spare: Option<&Spare>, sha256: Sha256) -> Result<Option<Blob>, Failed> {
    let Some(spare) = spare else { return Ok(None) };
    Ok(blobs.mend(spare, sha256, RealWorld.uuid(), RealWorld.now()).await?)
}

/// What records name and the hub does not count as here was not looked for above.
fn say_not_here(NotHere { total, first }: &NotHere) {
    if *total == 0 {
        return;
    }
    let it = if *total == 1 { "it" } else { "them" };
    say(&format!(
        "and {} that records name {} not here: still to come from a tablet, or lost where no tablet has {it} any more",
        photos(*total),
        is(*total)
    ));
    for mention in first {
        say(&format!("  {}", named(mention)));
    }
    let rest = total.saturating_sub(first.len() as u64);
    if rest > 0 {
        say(&format!("  and {rest} more"));
    }
}

/// A photo in the words of those who may look for it.
fn named(Mention { evidence, at, tag, issue, by }: &Mention) -> String {
    let mut parts = vec![format!("{} ({})", evidence.name, HumanBytes(evidence.bytes))];
    parts.extend(issue.clone());
    let place = |of: fn(&Words) -> &str| at.iter().map(of).collect::<Vec<_>>().join(" / ");
    let (zh, en) = (place(|words| &words.zh), place(|words| &words.en));
    parts.extend((!zh.is_empty()).then(|| zh.clone()));
    parts.extend((en != zh).then_some(en));
    parts.extend(tag.clone());
    parts.push(format!("recorded by {by}"));
    parts.join(", ")
}

/// Drawn on standard error, and only in a terminal. Counts what is whole.
struct Bar(ProgressBar, std::cell::Cell<u64>);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{pos} photos, {msg} read, {elapsed}") {
            bar.set_style(style);
        }
        Self(bar, std::cell::Cell::default())
    }

    fn whole(&self, bytes: u64) {
        self.1.set(self.1.get() + bytes);
        self.0.inc(1);
        self.0.set_message(HumanBytes(self.1.get()).to_string());
    }

    fn say(&self, line: &str) {
        self.0.suspend(|| say(line));
    }

    fn end(self) -> u64 {
        let whole = self.0.position();
        self.0.finish_and_clear();
        whole
    }
}
