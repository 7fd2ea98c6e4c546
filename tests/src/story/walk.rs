//! The walk: every stop of the route, without a signal.

use super::{Camera, DAY, Stage, answers};
use crate::app::App;
use crate::display::Display;
use crate::page::{PATIENCE, Page};
use crate::process::eventually;
use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use fantoccini::elements::Element;

/// What the inspector finds wrong: the item, how bad, in words. The estate's own report found everything in order; these
/// findings are the demonstration's.
struct Wrong {
    item: &'static str,
    severity: &'static str,
    words: &'static str,
}

const SEAL_TORN: Wrong = Wrong {
    item: "door-seal",
    severity: "serious",
    words: "箱门封条已破损，无法判断是否被人打开过，需更换封条并登记编号。",
};
const PRESSURE_LOW: Wrong =
    Wrong {
        item: "gauge-green", severity: "critical", words: "压力表指针在红区，压力不足，立即更换。"
    };

/// The route's item at which the plug is pulled.
const KILL_AFTER_STOPS: usize = 6;

/// Opens Today, looks at it in both languages, and opens the round. Gives the round's id.
pub async fn open_today(stage: &Stage, app: &App) -> Result<String> {
    stage.say("The hub is down. The inspector opens Today, in Chinese and in English");
    app.go("#/").await?;
    let round = app.ids("round-").await?.into_iter().next().context("a round is due")?;
    let chinese = app.text(&format!("round-{round}"), |text| text.contains("小区消防用水抽检")).await?;
    stage.picture(app, "02-today-zh").await?;
    app.tap("lang-en").await?;
    app.text(&format!("round-{round}"), |text| text.contains("Spot check of the estate") && text != chinese)
        .await?;
    stage.picture(app, "03-today-en").await?;
    app.tap("lang-zh").await?;
    app.text(&format!("round-{round}"), |text| text == chinese).await?;
    app.tap(&format!("round-{round}")).await?;
    app.see("round-state").await?;
    stage.picture(app, "04-round").await?;
    Ok(round)
}

/// Walks all stops; in the middle the plug is pulled and the app started again.
pub async fn route(stage: &Stage, display: &Display, app: App, camera: &Camera) -> Result<App> {
    let stops = app.ids("stop-").await?;
    ensure!(stops.len() == 18, "the route has 16 stops and two pipe works, not {}", stops.len());
    let mut walk = Walk { camera, stage, torn: 0, low: 0, drawn: 0, tried_water: false };
    let mut app = app;
    app.tap("next").await?;
    for (at, _) in stops.iter().enumerate() {
        if at == KILL_AFTER_STOPS {
            app = pull_the_plug(stage, display, app).await?;
        }
        stage.show(&app, walk.stop(&app)).await.with_context(|| format!("at stop {}", at + 1))?;
        app.tap("next-stop").await?;
    }
    ensure!(walk.torn == 1 && walk.low == 2 && walk.drawn > 0, "the walk met what it came for");
    Ok(app)
}

/// SIGKILL in the middle of a stop; afterwards everything answered is there.
async fn pull_the_plug(stage: &Stage, display: &Display, app: App) -> Result<App> {
    stage.say("The app is killed, and started again");
    let item = current(&app).await?;
    app.tap("pass").await?;
    moved_on(&app, &item).await?;
    let here = app.client.current_url().await?.fragment().unwrap_or_default().to_owned();
    app.kill().await?;

    let app = App::start(display, &stage.tablet(), DAY).await?;
    app.go(&format!("#{here}")).await?;
    app.find(&format!("[data-testid=\"item-{item}\"][data-outcome=\"pass\"]"))
        .await
        .context("what was answered before the plug was pulled is there")?;
    Ok(app)
}

struct Walk<'a> {
    camera: &'a Camera,
    stage: &'a Stage,
    torn: u32,
    low: u32,
    drawn: u32,
    tried_water: bool,
}

impl Walk<'_> {
    /// Answers every open item of the stop that is shown.
    async fn stop(&mut self, app: &Page) -> Result<()> {
        while !app.has("stop-done").await? {
            let item = current(app).await?;
            if !self.tried_water && app.has("item-water-drawn").await? {
                self.tries_water_too_early(app).await?;
                continue;
            }
            if item == "water-drawn" {
                self.draws_water(app).await?;
            }
            match item.as_str() {
                "door-seal" if self.torn == 0 => {
                    self.torn += 1;
                    self.fails(app, &SEAL_TORN, &[&self.camera.cabinet, &self.camera.broken]).await?;
                    self.stage.picture(app, "07-finding").await?;
                    app.tap("next-item").await?;
                }
                // The same photo for two findings: stored once, it belongs to both.
                "gauge-green" if self.low < 2 => {
                    self.low += 1;
                    self.fails(app, &PRESSURE_LOW, &[&self.camera.gauge]).await?;
                    app.tap("next-item").await?;
                }
                _ => answers::pass(app, &item).await.with_context(|| format!("the item {item}"))?,
            }
            moved_on(app, &item).await?;
        }
        Ok(())
    }

    /// Before the control room was told, no water may be drawn; the screen says why, and leads there.
    async fn tries_water_too_early(&mut self, app: &Page) -> Result<()> {
        self.tried_water = true;
        app.tap("item-water-drawn").await?;
        app.see("interlock").await?;
        ensure!(!app.see("pass").await?.is_enabled().await?, "water cannot be drawn yet");
        self.stage.picture(app, "06-interlock").await?;
        app.tap("interlock-control-room-told").await?;
        moved_on(app, "water-drawn").await
    }

    /// By now the interlocks have passed; a clip shows the water.
    async fn draws_water(&mut self, app: &Page) -> Result<()> {
        self.drawn += 1;
        let clip = if self.drawn == 1 { &self.camera.clip } else { &self.camera.clip_mp4 };
        app.choose_file("file-input", clip).await?;
        let tile = app.evidence(clip).await?;
        if self.drawn <= 2 {
            plays(app, &tile).await.with_context(|| format!("playing {}", clip.display()))?;
        }
        if self.drawn == 1 {
            self.stage.picture(app, "08-water-drawn").await?;
        }
        Ok(())
    }

    async fn fails(&self, app: &Page, wrong: &Wrong, photos: &[&std::path::PathBuf]) -> Result<()> {
        self.stage.picture(app, "05-question").await?;
        app.tap("fail").await?;
        app.see("finding").await?;
        app.tap(&format!("severity-{}", wrong.severity)).await?;
        app.fill("words", wrong.words).await?;
        app.find("[data-testid=\"finding\"] [data-testid=\"draft\"][data-state=\"saved\"]").await?;
        for path in photos {
            app.choose_file("photo-input", path).await?;
            app.evidence(path).await?;
        }
        app.attribute("finding", "data-lacks", str::is_empty).await?;
        if wrong.item == SEAL_TORN.item {
            app.is_upright(&self.camera.cabinet)
                .await
                .context("the tablet honours the camera's orientation")?;
        }
        ensure!(wrong.item == current(app).await?, "a fail stays at its item");
        Ok(())
    }
}

/// Plays a clip until pictures of it have been shown.
async fn plays(app: &Page, tile: &Element) -> Result<()> {
    let script = "const video = arguments[0].querySelector('video');
        return video && [video.currentTime, video.videoWidth, video.paused, video.error && video.error.code];";
    eventually("the clip plays", PATIENCE, || async {
        // A tile that has just come may still move under the pointer: as long as the button is there, it is tapped.
        if let Ok(button) = tile.find(Locator::Css("button:enabled")).await {
            button.click().await?;
        }
        let now = app.client.execute(script, vec![serde_json::to_value(tile)?]).await?;
        let number = |at: usize| now[at].as_f64().unwrap_or(0.0);
        ensure!(number(0) > 0.0 && number(1) > 0.0, "its time, its width, paused, its fault: {now}");
        Ok(())
    })
    .await
}

/// The item that is asked, once it takes an answer.
async fn current(app: &Page) -> Result<String> {
    app.attribute("outcomes", "data-ready", |ready| ready == "true").await?;
    app.attribute("outcomes", "data-item", |item| !item.is_empty()).await
}

/// Waits until another item is asked, or the stop is done.
async fn moved_on(app: &Page, item: &str) -> Result<()> {
    let css = format!("[data-testid=\"outcomes\"]:not([data-item=\"{item}\"]), [data-testid=\"stop-done\"]");
    app.find(&css).await?;
    Ok(())
}
