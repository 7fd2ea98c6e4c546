//! A tablet of two estates in the real app: the second is joined while the office of the first is away, and the first is
//! left before it comes back.

use crate::app::App;
use crate::display::Display;
use crate::hub::Hub;
use crate::page::Page;
use crate::process::eventually;
use crate::story::DAY;
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::time::Duration;

/// A site goes with the next answer of its office, which comes within a minute of its coming back.
const LONG: Duration = Duration::from_mins(3);
/// The folder of the site that was joined first.
const FIRST: &str = "first";

/// Plays it all in `home`.
pub async fn play(home: &Path) -> Result<()> {
    let display = Display::start(1400, 1000)?;
    let data = home.join("tablet");
    let (first, second) =
        (Hub::start(&home.join("first"), 0).await?, Hub::start_empty(&home.join("second"), 0).await?);
    let app = App::start(&display, &data, DAY).await?;
    app.join(&first).await?;
    let port = first.stop()?;

    // One answer, while nobody is there to take it.
    let round = app.ids("round-").await?.into_iter().next().context("a round is due")?;
    app.tap(&format!("round-{round}")).await?;
    app.tap("next").await?;
    app.attribute("outcomes", "data-ready", |ready| ready == "true").await?;
    app.tap("pass").await?;
    app.attribute("sync-line", "data-records", |records| records == "1").await?;

    app.tap("sync-line").await?;
    app.tap("join-another").await?;
    app.fill("enrol-address", &second.url()).await?;
    app.fill("enrol-code", &second.code_for("管理员")?).await?;
    app.tap("enrol-submit").await?;
    // The app begins anew with the other estate, and says that something waits at the first.
    app.text("other-sites", |text| text.contains('1')).await?;
    app.has_just(0, "[data-testid^=\"round-\"]").await?;
    state(&app, "safe").await?;

    // Back, and the answer is there; then away from it for good.
    app.tap("sync-line").await?;
    app.tap(&format!("show-{FIRST}")).await?;
    app.find("[data-testid^=\"round-\"]").await?;
    app.attribute("sync-line", "data-records", |records| records == "1").await?;
    app.tap("sync-line").await?;
    app.tap(&format!("leave-{FIRST}")).await?;
    app.tap(&format!("leave-yes-{FIRST}")).await?;
    app.has_just(0, "[data-testid^=\"round-\"]").await?;
    app.text("other-sites", |text| text.contains('1')).await?;
    ensure!(data.join("standpipe.db").is_file(), "what waits is there");

    // Killed meanwhile, and started again: it is still leaving.
    app.kill().await?;
    let app = App::start(&display, &data, DAY).await?;
    app.tap("sync-line").await?;
    app.attribute(&format!("site-{FIRST}"), "data-leaving", |why| why == "waits").await?;
    let first = Hub::start(&home.join("first"), port).await?;
    app.tap("sync-now").await?;
    eventually("the first estate is forgotten", LONG, || async {
        ensure!(!app.has(&format!("site-{FIRST}")).await?, "it is still listed");
        ensure!(!data.join("standpipe.db").exists() && !data.join("photos").exists(), "its files are there");
        Ok(())
    })
    .await?;
    app.has_just(0, "[data-testid=\"other-sites\"]").await?;
    app.close().await?;
    first.stop()?;
    second.stop()?;
    Ok(())
}

async fn state(app: &Page, state: &str) -> Result<()> {
    app.attribute("sync-line", "data-state", |now| now == state).await?;
    Ok(())
}
