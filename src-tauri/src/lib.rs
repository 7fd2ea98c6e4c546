//! The tablet app's shell: a window, the commands, and the evidence that its pictures are loaded from.

mod commands;
mod evidence;
mod options;
mod surroundings;

use options::Options;
use standpipe_device::engine::Engine;
use standpipe_device::sites::{News, Sites, Tried};
use standpipe_device::sync::Handle;
use standpipe_device::world::World;
use standpipe_domain::hold::Surroundings;
use standpipe_domain::tablet::Problem;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tauri::{AppHandle, Emitter, Manager, WebviewWindowBuilder};

/// What the commands work on.
pub struct App {
    options: Options,
    world: Arc<dyn World>,
    handle: AppHandle,
    opened: Mutex<Tried<Arc<Sites>>>,
    /// What the tablet stands in, as far as was told.
    surroundings: Mutex<Option<Surroundings>>,
}

impl App {
    fn open(options: Options, handle: AppHandle) -> Self {
        let world = options.world();
        let opened = Mutex::new(Tried::now(&*world, || open(&options, &world, &handle)));
        Self { options, world, handle, opened, surroundings: Mutex::default() }
    }

    /// The tablet's sites. Where they could not be opened that is tried again when something is asked: another window may
    /// have been closed meanwhile.
    fn sites(&self) -> Result<Arc<Sites>, Problem> {
        // Nothing is left half changed here by a panic.
        let mut tried = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.again(&*self.world, || open(&self.options, &self.world, &self.handle))
            && let (Ok(sites), Some(surroundings)) = (tried.outcome(), self.surroundings())
        {
            sites.surrounded_by(surroundings);
        }
        tried.outcome().cloned()
    }

    /// The engine of the site that is shown.
    fn engine(&self) -> Result<Arc<Engine>, Problem> {
        Ok(self.sites()?.shown()?.engine)
    }

    /// The driver of the site that is shown.
    fn driver(&self) -> Result<Arc<Handle>, Problem> {
        Ok(self.sites()?.shown()?.driver)
    }

    fn surroundings(&self) -> Option<Surroundings> {
        *self.surroundings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something around the tablet may have changed; its drivers go by it.
    fn surround(&self, change: impl FnOnce(&mut Surroundings)) {
        change(self.surroundings.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default());
        // Those that cannot be opened are told once they can.
        if let (Ok(sites), Some(surroundings)) = (self.sites(), self.surroundings()) {
            sites.surrounded_by(surroundings);
        }
    }

    /// The tablet has woken, somebody looks at it again, or its network has come back.
    fn come_back(&self) -> Result<(), Problem> {
        self.sites()?.come_back();
        Ok(())
    }

    async fn enrol(&self, address: &str, code: &str) -> Result<String, Problem> {
        self.sites()?.join(address, code).await.map_err(|error| error.problem())
    }
}

/// Opens the tablet's data, and tells the screens of every change from then on.
fn open(options: &Options, world: &Arc<dyn World>, app: &AppHandle) -> Result<Arc<Sites>, Problem> {
    let app = app.clone();
    // A window that is gone need not be told.
    let tell = move |news| match news {
        News::Line(line) => drop(app.emit("sync", line)),
        News::Changed => drop(app.emit("changed", ())),
        News::Sites => drop(app.emit("sites", ())),
    };
    let opened = Sites::open(&options.data, Arc::clone(world), tell).map(Arc::new);
    opened.map_err(|error| {
        tracing::error!(code = error.code(), "the tablet's data could not be opened: {error}");
        error.problem()
    })
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
            commands::come_back,
            commands::see_to,
            commands::choose,
            commands::send_all_the_same,
            commands::ask_of_sealed,
            commands::fetch_original,
            commands::enrol,
            commands::sites,
            commands::show_site,
            commands::leave_site,
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
