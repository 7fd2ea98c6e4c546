//! The tablet app's shell: a window, the commands, and the evidence that its pictures are loaded from.

mod commands;
mod evidence;
mod options;
mod surroundings;

use options::Options;
use standpipe_device::engine::Engine;
use standpipe_device::sync::Handle;
use standpipe_domain::hold::Surroundings;
use standpipe_domain::tablet::Problem;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tauri::{AppHandle, Emitter, Manager, WebviewWindowBuilder};

/// What the commands work on.
pub struct App {
    options: Options,
    handle: AppHandle,
    opened: Mutex<Tried>,
    /// What the tablet stands in, as far as was told.
    surroundings: Mutex<Option<Surroundings>>,
}

/// How the last try to open the tablet's data ended, when, and how long it took.
struct Tried {
    opened: Result<Opened, Problem>,
    at: Instant,
    took: Duration,
}

/// How long it rests at least between two tries: shorter than it takes to close another window and to tap.
const REST: Duration = Duration::from_millis(500);

type Opened = (Arc<Engine>, Arc<Handle>);

impl App {
    fn open(options: Options, handle: AppHandle) -> Self {
        let opened = Mutex::new(Tried::now(&options, &handle));
        Self { options, handle, opened, surroundings: Mutex::default() }
    }

    /// The engine and its driver. One that could not be opened is tried again when something is asked: another window
    /// may have been closed meanwhile, or room been made. Screens ask much at once, and a rescue is long: not every
    /// question is another try.
    fn opened(&self) -> Result<Opened, Problem> {
        // Nothing is left half changed here by a panic.
        let mut tried = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.opened.is_err() && tried.at.elapsed() > REST.max(3 * tried.took) {
            *tried = Tried::now(&self.options, &self.handle);
            if let (Ok((_, driver)), Some(surroundings)) = (&tried.opened, self.surroundings()) {
                driver.surrounded_by(surroundings);
            }
        }
        tried.opened.clone()
    }

    fn engine(&self) -> Result<Arc<Engine>, Problem> {
        Ok(self.opened()?.0)
    }

    fn driver(&self) -> Result<Arc<Handle>, Problem> {
        Ok(self.opened()?.1)
    }

    fn surroundings(&self) -> Option<Surroundings> {
        *self.surroundings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something around the tablet may have changed; its driver goes by it.
    fn surround(&self, change: impl FnOnce(&mut Surroundings)) {
        change(self.surroundings.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default());
        // One that cannot be opened is told once it can.
        if let (Ok(driver), Some(surroundings)) = (self.driver(), self.surroundings()) {
            driver.surrounded_by(surroundings);
        }
    }

    async fn enrol(&self, address: &str, code: &str) -> Result<(), Problem> {
        self.engine()?.join(address, code).await.map_err(|error| error.problem())?;
        self.driver()?.wake();
        Ok(())
    }
}

impl Tried {
    fn now(options: &Options, app: &AppHandle) -> Self {
        let begun = Instant::now();
        let opened = open(options, app);
        Self { opened, at: Instant::now(), took: begun.elapsed() }
    }
}

/// Opens the tablet's data, and tells the screens of every change from then on.
fn open(options: &Options, app: &AppHandle) -> Result<Opened, Problem> {
    let opened = Engine::open(&options.data, options.world()).map_err(|error| error.problem());
    let opened = opened.and_then(|engine| {
        let line = app.clone();
        let tell = move |now| {
            // A window that is gone needs no line.
            let _ = line.emit("sync", now);
        };
        let driver = Handle::spawn(Arc::clone(engine.store()), tell)
            .map_err(|error| problem("no-thread", error.to_string()))?;
        Ok((Arc::new(engine), Arc::new(driver)))
    });
    match &opened {
        Ok((engine, _)) => {
            let (mut changes, app) = (engine.store().changes(), app.clone());
            tauri::async_runtime::spawn(async move {
                while changes.changed().await.is_ok() {
                    let _ = app.emit("changed", ());
                }
            });
        }
        Err(problem) => {
            tracing::error!(
                code = problem.code,
                "the tablet's data could not be opened: {}",
                problem.message
            );
        }
    }
    opened
}

pub(crate) fn problem(code: &str, message: String) -> Problem {
    Problem { code: code.into(), message, details: serde_json::Value::Null }
}

/// Opens the window and runs until it is closed.
///
/// # Panics
/// When the system gives no window: there is nobody to tell but the log.
#[cfg_attr(mobile, tauri::mobile_entry_point)]
pub fn run() {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let built = tauri::Builder::default()
        .register_asynchronous_uri_scheme_protocol("evidence", |context, request, responder| {
            let app = context.app_handle().clone();
            std::thread::spawn(move || responder.respond(evidence::answer(&app.state::<App>(), &request)));
        })
        .invoke_handler(tauri::generate_handler![
            commands::today,
            commands::round,
            commands::check,
            commands::answer,
            commands::finding,
            commands::resolve,
            commands::amend,
            commands::attach_begin,
            commands::attach_chunk,
            commands::attach_end,
            commands::attach_cancel,
            commands::detach,
            commands::sign,
            commands::verify_seals,
            commands::export_seal,
            commands::save_seal,
            commands::issues,
            commands::issue,
            commands::issue_step,
            commands::search,
            commands::asset,
            commands::sync_detail,
            commands::sync_now,
            commands::choose,
            commands::send_all_the_same,
            commands::fetch_original,
            commands::enrol,
            commands::drafts,
            commands::keep_draft,
        ])
        .setup(|app| {
            let handle = app.handle().clone();
            let options = Options::read(&handle)?;
            let enrol = options.enrol.clone();
            let data = options.data.clone();
            app.manage(App::open(options, handle.clone()));
            surroundings::follow(&handle);
            open_window(&handle, &data)?;
            if let Some((address, code)) = enrol {
                tauri::async_runtime::spawn(async move {
                    if let Err(problem) = handle.state::<App>().enrol(&address, &code).await {
                        tracing::error!(code = problem.code, "not enrolled: {}", problem.message);
                    }
                    let _ = handle.emit("changed", ());
                });
            }
            Ok(())
        })
        .run(tauri::generate_context!());
    if let Err(error) = built {
        panic!("the window could not be opened: {error}");
    }
}

/// The window, which keeps what it keeps (the language) beside the tablet's data: two tablets on one machine have nothing
/// in common.
fn open_window(app: &AppHandle, data: &Path) -> tauri::Result<()> {
    for window in &app.config().app.windows {
        WebviewWindowBuilder::from_config(app, window)?.data_directory(data.join("window")).build()?;
    }
    Ok(())
}
