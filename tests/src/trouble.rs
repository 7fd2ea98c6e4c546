//! What goes wrong in the field, in the real app: files that are no pictures or too large, an address at which no hub
//! answers any more, a tablet that the office has withdrawn.

use crate::app::App;
use crate::browser::Browser;
use crate::display::Display;
use crate::hub::Hub;
use crate::page::{Page, sha256};
use crate::pictures::{Scene, draw, photo};
use crate::process::eventually;
use crate::story::DAY;
use anyhow::{Context, Result, ensure};
use image::{GrayImage, ImageFormat};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// A clip of this size, in bytes, comes in whole and goes up whole.
const LARGE: u64 = 300_000_000;
/// It goes through the window, two disks and two hashes.
const LONG: Duration = Duration::from_mins(5);

/// Plays it all in `home`.
pub async fn play(home: &Path) -> Result<()> {
    let display = Display::start(1400, 1000)?;
    let hub = Hub::start(&home.join("hub"), 0).await?;
    let app = App::start(&display, &home.join("tablet"), DAY).await?;
    app.join(&hub).await?;
    let mode = std::fs::metadata(home.join("tablet"))?.permissions().mode();
    ensure!(mode & 0o777 == 0o700, "the tablet's token and key are nobody else's to read: {mode:o}");
    let round = app.ids("round-").await?.into_iter().next().context("a round is due")?;
    app.tap(&format!("round-{round}")).await?;
    app.tap("next").await?;

    let files = Files::new(&home.join("files"))?;
    files.come_in(&app).await?;
    eventually("all is at the office", LONG, || async { state(&app, "data-state", "safe").await }).await?;
    let browser = Browser::start(1440, 1000).await?;
    browser.open(&hub).await?;
    browser.sign_in().await?;
    browser.see("nav-tablets").await?;
    for file in files.kept() {
        browser.has_the_bytes_of(file).await?;
    }

    let hub = another_server_answers(&app, hub).await?;
    withdrawn(&app, &browser).await?;
    app.close().await?;
    hub.stop()?;
    Ok(())
}

/// Files as they come out of cameras, and out of other places.
struct Files {
    empty: PathBuf,
    text: PathBuf,
    cut: PathBuf,
    bomb: PathBuf,
    large: PathBuf,
    photo: PathBuf,
}

impl Files {
    fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let [empty, text, cut, bomb, large] =
            ["空.jpg", "说明.jpg", "中断.jpg", "全景.png", "出水.mp4"].map(|name| folder.join(name));
        File::create(&empty)?;
        std::fs::write(&text, "这不是照片。")?;
        let photo = photo(folder, "阀门.jpg", &draw(Scene::Cabinet, 1200, 1600), 6)?;
        let whole = std::fs::read(&photo)?;
        std::fs::write(&cut, &whole[..whole.len() / 2])?;
        // Two hundred million pixels in some hundred kilobytes.
        GrayImage::new(20_000, 10_000).save_with_format(&bomb, ImageFormat::Png)?;
        clip(&large)?;
        Ok(Self { empty, text, cut, bomb, large, photo })
    }

    fn kept(&self) -> [&Path; 5] {
        [&self.text, &self.cut, &self.bomb, &self.large, &self.photo].map(PathBuf::as_path)
    }

    async fn come_in(&self, app: &Page) -> Result<()> {
        app.choose_file("file-input", &self.empty).await?;
        app.find("[data-testid=\"upload\"][data-failed=\"true\"]").await.context("nothing is no evidence")?;
        for (file, preview) in
            [(&self.text, "none"), (&self.cut, "none"), (&self.bomb, "none"), (&self.large, "clip")]
        {
            app.choose_file("file-input", file).await?;
            let hash = sha256(file)?;
            let css = format!("[data-testid=\"evidence-{hash}\"][data-preview=\"{preview}\"]");
            eventually(&css, LONG, || async {
                ensure!(app.count(&css).await? > 0, "{} is not there as {preview}", file.display());
                Ok(())
            })
            .await?;
        }
        app.choose_file("photo-input", &self.photo).await?;
        app.is_upright(&self.photo).await
    }
}

/// A clip that plays, with a long hole behind it (ISO/IEC 14496-12, 8.1.2: `free` is a box to be skipped).
fn clip(path: &Path) -> Result<()> {
    let water = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/water.mp4"))?;
    let hole = u32::try_from(LARGE - water.len() as u64)?;
    let mut file = File::create(path)?;
    file.write_all(&water)?;
    file.write_all(&hole.to_be_bytes())?;
    file.write_all(b"free")?;
    file.seek(SeekFrom::Start(LARGE - 1))?;
    file.write_all(&[0])?;
    Ok(())
}

/// In the hub's place somebody else answers, with pages: the app says so, records on, and goes on by itself after it.
async fn another_server_answers(app: &Page, hub: Hub) -> Result<Hub> {
    let data = hub.data().to_owned();
    let port = hub.stop()?;
    {
        let _other = PageServer::start(port)?;
        app.tap("pass").await?;
        state(app, "data-trouble", "not-a-hub").await?;
        let records = app.attribute("sync-line", "data-records", |records| records != "0").await?;
        ensure!(records == "1", "one answer is safe here, not {records}");
    }
    let hub = Hub::start(&data, port).await?;
    state(app, "data-state", "safe").await?;
    Ok(hub)
}

/// The office withdraws the tablet: it says so, and records on.
async fn withdrawn(app: &Page, browser: &Browser) -> Result<()> {
    browser.client.refresh().await?;
    browser.tap("nav-tablets").await?;
    browser.see("tablets").await?;
    let tablet = browser.ids("revoke-").await?.into_iter().next().context("a tablet to withdraw")?;
    browser.tap(&format!("revoke-{tablet}")).await?;
    browser.tap(&format!("revoke-yes-{tablet}")).await?;
    let item = app.attribute("outcomes", "data-item", |item| !item.is_empty()).await?;
    app.tap("na").await?;
    state(app, "data-trouble", "revoked").await?;
    state(app, "data-state", "needs-attention").await?;
    app.attribute("outcomes", "data-item", |next| next != item).await?;
    app.attribute("outcomes", "data-ready", |ready| ready == "true").await?;
    app.tap("na").await?;
    app.attribute("outcomes", "data-ready", |ready| ready == "true").await?;
    app.tap("sync-line").await?;
    // The office took them, and holds them apart until somebody has looked; both ends say so.
    app.attribute("set-aside", "data-count", |count| count == "2").await?;
    browser.tap("nav-quarantine").await?;
    browser.has_just(2, "[data-testid^=\"quarantined-\"]").await
}

async fn state(app: &Page, name: &str, value: &str) -> Result<()> {
    app.attribute("sync-line", name, |now| now == value).await?;
    Ok(())
}

/// A web server that is no hub: it answers everything with a page.
struct PageServer {
    ends: Arc<AtomicBool>,
    port: u16,
    serves: Option<thread::JoinHandle<()>>,
}

impl PageServer {
    fn start(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let ends = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&ends);
        let serves = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let page = "<!doctype html><title>Welcome</title>";
                let length = page.len();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close";
                // Whoever hangs up early is none of its business.
                let _ = stream.read(&mut [0; 8_192]);
                let _ = write!(stream, "{head}\r\ncontent-length: {length}\r\n\r\n{page}");
            }
        });
        Ok(Self { ends, port, serves: Some(serves) })
    }
}

impl Drop for PageServer {
    fn drop(&mut self) {
        self.ends.store(true, SeqCst);
        // Wakes the loop, so that it sees that it is over.
        let _ = std::net::TcpStream::connect(("127.0.0.1", self.port));
        if let Some(serves) = self.serves.take() {
            let _ = serves.join();
        }
    }
}
