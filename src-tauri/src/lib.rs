//! The tablet app's shell: a window, the commands, and the evidence that its pictures are loaded from.

mod commands;
mod evidence;
mod options;

use options::Options;
use standpipe_device::engine::Engine;
use standpipe_device::sync::Handle;
use standpipe_domain::tablet::Problem;
use std::sync::Arc;
use tauri::{AppHandle, Emitter, Manager};

/// What the commands work on. When the engine could not be opened, every command says why.
pub struct App {
    opened: Result<(Arc<Engine>, Handle), Problem>,
}

impl App {
    fn open(options: &Options, app: &AppHandle) -> Self {
        let opened = Engine::open(&options.data, options.world()).map_err(|error| error.problem());
        let opened = opened.and_then(|engine| {
            let line = app.clone();
            let tell = move |now| {
                // A window that is gone needs no line.
                let _ = line.emit("sync", now);
            };
            let driver = Handle::spawn(Arc::clone(engine.store()), tell).map_err(|error| Problem {
                code: "no-thread".into(),
                message: error.to_string(),
                details: serde_json::Value::Null,
            })?;
            Ok((Arc::new(engine), driver))
        });
        if let Err(problem) = &opened {
            tracing::error!(
                code = problem.code,
                "the tablet's data could not be opened: {}",
                problem.message
            );
        }
        Self { opened }
    }

    fn engine(&self) -> Result<&Arc<Engine>, Problem> {
        self.opened.as_ref().map(|(engine, _)| engine).map_err(Clone::clone)
    }

    fn driver(&self) -> Result<&Handle, Problem> {
        self.opened.as_ref().map(|(_, driver)| driver).map_err(Clone::clone)
    }

    async fn enrol(&self, address: &str, code: &str) -> Result<(), Problem> {
        self.engine()?.join(address, code).await.map_err(|error| error.problem())?;
        self.driver()?.wake();
        Ok(())
    }

    /// Tells the screens of every change, for as long as the app runs.
    async fn tell_changes(&self, app: AppHandle) {
        let Ok(engine) = self.engine() else { return };
        let mut changes = engine.store().changes();
        while changes.changed().await.is_ok() {
            let _ = app.emit("changed", ());
        }
    }
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
            commands::enrol,
            commands::drafts,
            commands::keep_draft,
        ])
        .setup(|app| {
            let handle = app.handle().clone();
            let options = Options::read(&handle)?;
            app.manage(App::open(&options, &handle));
            tauri::async_runtime::spawn(async move {
                let app = handle.state::<App>();
                if let Some((address, code)) = options.enrol {
                    if let Err(problem) = app.enrol(&address, &code).await {
                        tracing::error!(code = problem.code, "not enrolled: {}", problem.message);
                    }
                    let _ = handle.emit("changed", ());
                }
                app.tell_changes(handle.clone()).await;
            });
            Ok(())
        })
        .run(tauri::generate_context!());
    if let Err(error) = built {
        panic!("the window could not be opened: {error}");
    }
}
