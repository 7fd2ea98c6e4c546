//! The inspection of 2023-07-01, end to end, as the people in it would do it: in the real app, with the real hub, in a
//! real browser. The whole-system test plays it, and so does the demonstration.

mod answers;
mod office;
mod sign;
mod walk;

use crate::app::App;
use crate::browser::Browser;
use crate::display::Display;
use crate::hub::Hub;
use crate::page::{Page, sha256};
use crate::pictures::{Scene, draw, photo};
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};

/// The day of the inspection, which the app takes for today.
pub const DAY: &str = "2023-07-01";

/// Where the story is played.
pub struct Stage {
    /// The folder that holds the tablet's data.
    pub home: PathBuf,
    /// Where a picture of each screen is left; nowhere when absent.
    pub pictures: Option<PathBuf>,
    /// Told what happens, line by line.
    pub say: fn(&str),
}

/// The files that the inspector's camera makes.
pub struct Camera {
    pub cabinet: PathBuf,
    pub gauge: PathBuf,
    pub broken: PathBuf,
    pub mended: PathBuf,
    pub recheck: PathBuf,
    pub clip: PathBuf,
    pub clip_mp4: PathBuf,
}

impl Stage {
    pub async fn picture(&self, page: &Page, name: &str) -> Result<()> {
        let Some(folder) = &self.pictures else { return Ok(()) };
        std::fs::create_dir_all(folder)?;
        page.picture(&folder.join(format!("{name}.png"))).await
    }

    /// Leaves a picture of the page that a step failed on.
    async fn show<T>(&self, page: &Page, step: impl Future<Output = Result<T>>) -> Result<T> {
        let result = step.await;
        let Err(error) = result else { return result };
        let picture = self.home.join("failed.png");
        Err(match page.picture(&picture).await {
            Ok(()) => error.context(format!("see {}", picture.display())),
            Err(_) => error,
        })
    }

    fn say(&self, line: &str) {
        (self.say)(line);
    }

    fn tablet(&self) -> PathBuf {
        self.home.join("tablet")
    }
}

impl Camera {
    /// Makes the files. Their names are as cameras and people give them.
    pub fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        // Held upright, upside down, and on its side: the screen shows each the right way up.
        let cabinet = photo(folder, "封条 破损.jpg", &draw(Scene::Cabinet, 1200, 1600), 6)?;
        let gauge = photo(folder, "IMG_0033.jpg", &draw(Scene::Gauge(0.18), 2000, 1500), 3)?;
        let mended = photo(folder, "封条已换.jpg", &draw(Scene::Mended, 1200, 1600), 8)?;
        let recheck = photo(folder, "复查.jpg", &draw(Scene::Mended, 1500, 2000), 1)?;
        let whole = std::fs::read(&gauge)?;
        let broken = folder.join("中断.jpg");
        std::fs::write(&broken, &whole[..whole.len() / 2])?;
        let clips = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        let camera = Self {
            cabinet,
            gauge,
            broken,
            mended,
            recheck,
            clip: clips.join("water.webm"),
            clip_mp4: clips.join("water.mp4"),
        };
        ensure!(camera.clip.is_file(), "{} is missing", camera.clip.display());
        Ok(camera)
    }

    /// What was recorded on the walk, by file.
    fn recorded(&self) -> [&Path; 5] {
        [&self.cabinet, &self.gauge, &self.broken, &self.clip, &self.clip_mp4].map(PathBuf::as_path)
    }
}

/// Plays the whole story, and gives the hub back as it ends, running.
pub async fn play(stage: &Stage, display: &Display, hub: Hub) -> Result<Hub> {
    let camera = Camera::new(&stage.home.join("camera"))?;
    stage.say("The tablet is enrolled; then the hub goes down");
    let app = App::start(display, &stage.tablet(), DAY).await?;
    stage.show(&app, enrol(stage, &app, &hub)).await?;
    let hub_data = hub.data().to_owned();
    let port = hub.stop()?;

    let round = stage.show(&app, walk::open_today(stage, &app)).await?;
    let app = walk::route(stage, display, app, &camera).await?;
    stage.show(&app, sign::all_three(stage, &app, &round)).await?;

    stage.say("The hub comes up; everything goes to the office");
    sign::watch_sync_line(&app).await?;
    let hub = Hub::start(&hub_data, port).await?;
    stage.show(&app, sign::until_safe(&app)).await?;
    stage.picture(&app, "14-safe").await?;
    sign::line_told_the_truth(&app).await?;

    let browser = Browser::start(1440, 1000).await?;
    let issue = stage.show(&browser, office::reads_and_answers(stage, &browser, &hub, &camera)).await?;
    stage.show(&app, verify_fix(stage, &app, &issue, &camera)).await?;
    stage.show(&browser, office::sees_it_verified(stage, &browser, &issue, &camera)).await?;
    app.close().await?;
    Ok(hub)
}

async fn enrol(stage: &Stage, app: &App, hub: &Hub) -> Result<()> {
    app.see("enrol").await?;
    stage.picture(app, "01-enrol").await?;
    app.join(hub).await
}

/// The tablet hears of the claimed fix; the inspector looks again, and verifies it with a new photo.
async fn verify_fix(stage: &Stage, app: &App, issue: &str, camera: &Camera) -> Result<()> {
    stage.say("The inspector re-checks the fix");
    app.go("#/").await?;
    app.see("to-recheck").await?;
    stage.picture(app, "20-today-recheck").await?;
    app.tap("tab-issues").await?;
    app.find(&format!("[data-testid=\"issue-{issue}\"][data-status=\"claimed-done\"]")).await?;
    stage.picture(app, "21-issues").await?;
    app.go(&format!("#/issue/{issue}")).await?;
    app.attribute("issue-status", "data-status", |status| status == "claimed-done").await?;
    // The office's own photo of the fix has come to the tablet.
    app.evidence(&camera.mended).await?;
    app.find(&format!("[data-testid=\"evidence-{}\"] img", sha256(&camera.mended)?)).await?;
    app.choose_file("photo-input", &camera.recheck).await?;
    app.evidence(&camera.recheck).await?;
    stage.picture(app, "22-issue").await?;
    app.tap("verify").await?;
    app.attribute("issue-status", "data-status", |status| status == "verified").await?;
    stage.picture(app, "23-verified").await?;
    sign::until_safe(app).await
}
