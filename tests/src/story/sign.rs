//! Sign-off on the glass, the seal, and the way to the office.

use super::Stage;
use crate::app::{App, downloads};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use fantoccini::actions::{InputSource, MouseActions, PointerAction};
use serde_json::json;
use standpipe_oplog::seal::Jws;
use std::path::Path;
use std::time::Duration;

const OBJECTION: &str = "22栋未抽查高区消火栓，下次检查请补上。";

/// Two representatives sign, one signs with an objection. Then the checks are sealed, and the seals verify offline.
pub async fn all_three(stage: &Stage, app: &App, round: &str) -> Result<()> {
    stage.say("The owner representatives read the summary and sign");
    app.go(&format!("#/round/{round}/sign")).await?;
    app.find("[data-testid^=\"sign-unit-\"]:not([disabled])").await?;
    stage.picture(app, "10-summary").await?;
    let signers = [("一期代表甲", 0.0, false), ("二期代表乙", 1.0, false), ("三期代表丙", 2.0, true)];
    for (name, turn, objects) in signers {
        let unit = app.ids("sign-unit-").await?.into_iter().next().context("a place to sign")?;
        app.tap(&format!("sign-unit-{unit}")).await?;
        app.fill("sign-name", name).await?;
        if objects {
            app.tap("sign-object").await?;
            app.fill("objection", OBJECTION).await?;
        }
        draw(app, turn).await?;
        if objects {
            stage.picture(app, "11-objection").await?;
        }
        app.tap("sign-submit").await?;
        app.attribute(&format!("place-{unit}"), "data-signed", |signed| signed == "true").await?;
    }
    app.attribute("sealed-banner", "data-all", |all| all == "true").await?;
    app.tap("verify-seals").await?;
    app.find("[data-testid^=\"seal-\"][data-genuine]").await?;
    let good = "[data-testid^=\"seal-\"][data-genuine=\"true\"][data-unchanged=\"true\"]";
    let found = app.client.find_all(fantoccini::Locator::Css(good)).await?.len();
    ensure!(found == 3, "three seals verify offline, not {found}");
    stage.picture(app, "12-sealed").await?;
    seal_verifies_alone(stage, app).await?;
    sealed_check_is_refused(stage, app, round).await
}

/// How many strokes a signature has here.
pub const STROKES: usize = 3;

/// A signature on the glass.
async fn draw(app: &Page, turn: f64) -> Result<()> {
    let pad = app.see("sign-pad").await?;
    app.settled().await?;
    let script = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})";
    app.client.execute(script, vec![serde_json::to_value(&pad)?]).await?;
    app.settled().await?;
    let (_, _, width, height) = pad.rectangle().await?;
    for (stroke, from) in [0.2, 0.4, 0.6].into_iter().enumerate() {
        // Measured from the middle of the glass.
        let at = |x: f64, y: f64| PointerAction::MoveToElement {
            element: pad.clone(),
            duration: Some(Duration::from_millis(30)),
            x: width * (x - 0.5),
            y: height * (y - 0.5),
        };
        let hand = MouseActions::new(format!("hand{stroke}"))
            .then(at(from, 0.25 + 0.05 * turn))
            .then(PointerAction::Down { button: 0 })
            .then(at(from + 0.08, 0.7))
            .then(at(from + 0.14, 0.35))
            .then(at(from + 0.22, 0.6))
            .then(PointerAction::Up { button: 0 });
        app.client.perform_actions(hand).await?;
    }
    Ok(())
}

/// The file that a person exports verifies without the app, the hub or a network.
async fn seal_verifies_alone(stage: &Stage, app: &Page) -> Result<()> {
    let export = app.ids("export-seal-").await?.into_iter().next().context("a seal to export")?;
    app.tap(&format!("export-seal-{export}")).await?;
    let path = app.attribute("seal-saved", "data-path", |path| !path.is_empty()).await?;
    stage.picture(app, "12-exported").await?;
    ensure!(Path::new(&path).starts_with(downloads(&stage.tablet())), "{path} is among the downloads");
    let seal: Jws = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    let sealed = seal.verify(None)?.payload;
    ensure!(sealed.checks.len() == 18 && sealed.evidence.len() == 5, "everything of the round is in it");
    Ok(())
}

/// A sealed check takes no edit: the screen offers an amendment, and the engine refuses whatever asks it directly.
async fn sealed_check_is_refused(stage: &Stage, app: &Page, round: &str) -> Result<()> {
    stage.say("A sealed check refuses an edit, and shows the way forward");
    app.go(&format!("#/round/{round}")).await?;
    let check = app.ids("stop-").await?.into_iter().next().context("the route has stops")?;
    app.go(&format!("#/round/{round}/check/{check}")).await?;
    app.see("sealed-banner").await?;
    app.see("amend").await?;
    ensure!(!app.has("pass").await?, "a sealed check has no button to answer with");
    stage.picture(app, "13-sealed-check").await?;
    let item = app.attribute("outcomes", "data-item", |item| !item.is_empty()).await?;
    let answer = json!({"check": check, "item": item, "answer": {"outcome": "fail", "at": 0}});
    let script = "const [answer, done] = arguments;
        window.__TAURI_INTERNALS__.invoke('answer', {new: answer}).then(() => done('taken'), (e) => done(e.code));";
    let said = app.client.execute_async(script, vec![answer]).await?;
    ensure!(said == "sealed", "an edit of a sealed check is refused with `sealed`, not {said}");
    Ok(())
}

/// Notes each state and each count that the sync line shows from now on.
pub async fn watch_sync_line(app: &Page) -> Result<()> {
    let script = "const seen = (window.__seen = []);
        const note = () => {
            const line = document.querySelector('[data-testid=\"sync-line\"]');
            if (line) seen.push({state: line.dataset.state, said: line.textContent.trim()});
        };
        note();
        new MutationObserver(note).observe(document.body,
            {subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['data-state']});";
    app.client.execute(script, vec![]).await?;
    Ok(())
}

/// Waits until all is safe at the office.
pub async fn until_safe(app: &Page) -> Result<()> {
    app.attribute("sync-line", "data-state", |state| state == "safe").await?;
    Ok(())
}

/// What the line said on the way: waiting, then sending, then safe; always in words, with what was on its way.
pub async fn line_told_the_truth(app: &Page) -> Result<()> {
    let seen = app.client.execute("return window.__seen", vec![]).await?;
    let seen = seen.as_array().context("the line was watched")?;
    let first = |state: &str| seen.iter().position(|note| note["state"] == state);
    let (waiting, sending, safe) = (first("waiting"), first("sending"), first("safe"));
    ensure!(waiting.is_some() && waiting < sending && sending < safe, "the line went {seen:?}");
    for note in &seen[..safe.unwrap_or(0)] {
        let said = note["said"].as_str().unwrap_or_default();
        let records = said.contains(" 条记录");
        let photos = said.contains(" 件照片和短视频（")
            && ["B）", "kB）", "MB）"].iter().any(|unit| said.contains(unit));
        // Between the last answer and the look whether both ends hold the same, nothing waits, and all is not safe yet.
        let nothing = note["state"] == "waiting" && said.contains("没有待传内容")
            || note["state"] == "checking" && said.contains("正在与办公室核对");
        ensure!(
            records || photos || nothing,
            "the line says how many records, or photos of how many bytes, not {said:?}"
        );
    }
    ensure!(
        seen.iter().any(|note| note["said"].as_str().is_some_and(|said| said.contains("kB"))),
        "{seen:?}"
    );
    Ok(())
}
