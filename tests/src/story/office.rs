//! The office reads the round, and moves an issue on.

use super::sign::STROKES;
use super::{Camera, Stage};
use crate::browser::Browser;
use crate::hub::Hub;
use crate::page::Page;
use anyhow::{Context, Result, bail, ensure};
use fantoccini::Locator;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// How many findings the walk makes.
const FINDINGS: usize = 3;

/// Reads the round with its sign-offs and photos, then assigns an issue and moves it on until the fix is claimed. Gives
/// the issue's id.
pub async fn reads_and_answers(
    stage: &Stage,
    browser: &Browser,
    hub: &Hub,
    camera: &Camera,
) -> Result<String> {
    stage.say("The office signs in and reads the round");
    browser.open(hub).await?;
    stage.picture(browser, "30-office-sign-in").await?;
    browser.sign_in().await?;
    browser.tap("nav-rounds").await?;
    let round = first(browser, "round-").await?;
    stage.picture(browser, "31-office-rounds").await?;
    browser.go(&format!("#/rounds/{round}")).await?;
    reads_sign_offs(browser).await?;
    stage.picture(browser, "32-office-round").await?;
    for path in camera.recorded() {
        browser.has_the_bytes_of(path).await?;
    }
    browser.is_upright(&camera.cabinet).await?;

    stage.say("The office assigns an issue and moves it on");
    browser.tap("nav-issues").await?;
    first(browser, "issue-").await?;
    let rows =
        browser.client.find_all(Locator::Css("[data-testid^=\"issue-\"][data-status=\"open\"]")).await?.len();
    ensure!(rows == FINDINGS, "an issue for each finding, not {rows}");
    stage.picture(browser, "33-office-issues").await?;
    moves_on(stage, browser, camera).await
}

async fn first(browser: &Page, prefix: &str) -> Result<String> {
    let css = format!("[data-testid^=\"{prefix}\"][data-testid*=\"-\"]");
    browser.find(&css).await?;
    let ids = browser.ids(prefix).await?;
    // Ids of records are 36 characters; other marks on the page begin alike.
    ids.into_iter().find(|id| id.len() == 36).with_context(|| format!("nothing begins with {prefix}"))
}

/// The issue in the list that says so.
async fn about(browser: &Page, text: &str) -> Result<String> {
    for row in browser.client.find_all(Locator::Css("[data-testid^=\"issue-\"][data-status]")).await? {
        if row.text().await?.contains(text) {
            let id = row.attr("data-testid").await?.context("it was found by its test id")?;
            return Ok(id.trim_start_matches("issue-").to_owned());
        }
    }
    bail!("no issue in the list says {text}")
}

async fn reads_sign_offs(browser: &Page) -> Result<()> {
    browser.find("[data-testid^=\"signoff-\"][data-signed=\"true\"]").await?;
    let signed =
        browser.client.find_all(Locator::Css("[data-testid^=\"signoff-\"][data-signed=\"true\"]")).await?;
    ensure!(signed.len() == 3, "three sign-offs, not {}", signed.len());
    let strokes = browser
        .client
        .find_all(Locator::Css("[data-testid^=\"signoff-\"] svg[role=\"img\"] path"))
        .await?
        .len();
    ensure!(strokes == 3 * STROKES, "every stroke of every signature, not {strokes}");
    let objections = browser.client.find_all(Locator::Css("[data-testid^=\"objection-\"]")).await?;
    ensure!(objections.len() == 1, "one of them with an objection");
    let seals = "[data-testid^=\"seal-\"][data-verdict=\"good\"][data-countersigned=\"true\"]";
    let good = browser.client.find_all(Locator::Css(seals)).await?.len();
    ensure!(good == 3, "three seals hold and are countersigned, not {good}");
    Ok(())
}

async fn moves_on(stage: &Stage, browser: &Page, camera: &Camera) -> Result<String> {
    let issue = about(browser, "箱门封条").await?;
    browser.go(&format!("#/issues/{issue}")).await?;
    take(browser, "assign").await?;
    choose_first(browser, "assign-unit", "物业").await?;
    choose_first(browser, "assign-person", "").await?;
    browser.set_date("assign-date", &in_days(14)).await?;
    stage.picture(browser, "34-office-assign").await?;
    send(browser, "assigned").await?;

    take(browser, "propose").await?;
    browser.fill("step-words", "更换门封条，登记新编号，并检查同栋其余箱体。").await?;
    // Without a date a proposal is not accepted.
    browser.tap("step-submit").await?;
    browser.attribute("issue-status", "data-status", |status| status == "assigned").await?;
    browser.set_date("step-date", &in_days(10)).await?;
    send(browser, "proposed").await?;
    take(browser, "agree").await?;
    send(browser, "agreed").await?;
    take(browser, "start").await?;
    send(browser, "under-way").await?;
    take(browser, "claim-done").await?;
    browser.choose_file("step-files", &camera.mended).await?;
    send(browser, "claimed-done").await?;
    browser.evidence(&camera.mended).await?;
    stage.picture(browser, "35-office-claimed").await?;
    ensure!(!browser.has("step-verify").await?, "nobody verifies their own claim");
    Ok(issue)
}

/// A day to come. The office's clock is the real one: it answers long after the day of the inspection.
fn in_days(days: i64) -> String {
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    today.saturating_add(days.days()).to_string()
}

async fn take(browser: &Page, step: &str) -> Result<()> {
    browser.tap(&format!("step-{step}")).await?;
    browser.see("step-form").await?;
    Ok(())
}

async fn send(browser: &Page, status: &str) -> Result<()> {
    browser.tap("step-submit").await?;
    browser.attribute("issue-status", "data-status", |now| now == status).await?;
    Ok(())
}

/// Chooses the first option that holds `text` and stands for something.
async fn choose_first(browser: &Page, id: &str, text: &str) -> Result<()> {
    let script = "const [select, text] = arguments;
        const option = [...select.options].find((one) => one.value && one.text.includes(text));
        select.value = option.value;
        select.dispatchEvent(new Event('change', {bubbles: true}));";
    let select = browser.see(id).await?;
    browser.client.execute(script, vec![serde_json::to_value(&select)?, text.into()]).await?;
    Ok(())
}

/// What the tablet verified is verified at the office, with the photo of the fix.
pub async fn sees_it_verified(stage: &Stage, browser: &Page, issue: &str, camera: &Camera) -> Result<()> {
    stage.say("The office sees the fix verified");
    browser.go(&format!("#/issues/{issue}")).await?;
    browser.attribute("issue-status", "data-status", |status| status == "verified").await?;
    browser.evidence(&camera.recheck).await?;
    stage.picture(browser, "36-office-verified").await
}
