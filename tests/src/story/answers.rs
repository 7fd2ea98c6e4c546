//! How the inspector answers an item.

use crate::page::Page;
use anyhow::{Context, Result};
use standpipe_domain::asset::AssetKind;
use standpipe_domain::checklist::{AnswerKind, Item, newest_for};
use standpipe_domain::limit::{Limit, Unit};

/// The item of that id, out of whichever checklist has it.
fn item(id: &str) -> Result<&'static Item> {
    AssetKind::ALL
        .into_iter()
        .filter_map(newest_for)
        .find_map(|list| list.item(id))
        .with_context(|| format!("no checklist has the item {id}"))
}

/// Answers the item that is asked so that it passes.
pub async fn pass(page: &Page, id: &str) -> Result<()> {
    match &item(id)?.answer {
        AnswerKind::PassFail => page.tap("pass").await,
        AnswerKind::Reading { unit, limit } => {
            page.fill("reading-input", &format!("{}", within(*unit, *limit))).await?;
            page.tap("pass").await
        }
        AnswerKind::Choice { options } => {
            let option = options.get(options.len() / 2).context("a choice has options")?;
            page.tap(&format!("choice-{}", option.id)).await
        }
        AnswerKind::Text => {
            page.fill("text-input", "A-20230701").await?;
            page.tap("pass").await
        }
    }
}

/// A reading that lies well within its limit.
fn within(unit: Unit, limit: Limit) -> f64 {
    let value = match (limit.min, limit.max) {
        (Some(min), Some(max)) => f64::midpoint(min, max),
        (Some(min), None) => min * 1.25 + 0.5,
        (None, Some(max)) => max / 2.0,
        // No limit: what a person would read there.
        (None, None) if unit == Unit::Percent => 86.0,
        (None, None) => 1.5,
    };
    (value * 100.0).round() / 100.0
}
