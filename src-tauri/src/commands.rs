//! What the screens may ask: each command is one call of the engine.

#![allow(clippy::needless_pass_by_value)] // what the window sends arrives by value

use crate::{App, problem};
use standpipe_device::error::Error;
use standpipe_domain::asset::AssetLine;
use standpipe_domain::evidence::EvidenceView;
use standpipe_domain::hold::Choices;
use standpipe_domain::ids::{AssetId, CheckId, IssueId, RoundId, Sha256, SignOffId};
use standpipe_domain::issue::{IssueLine, IssueView, StepRequest};
use standpipe_domain::signoff::{NewSignOff, SealReport};
use standpipe_domain::site::SiteLine;
use standpipe_domain::sync::{AsideId, SyncDetail};
use standpipe_domain::tablet::{
    AssetView, CheckView, NewAmendment, NewAnswer, NewFile, NewFinding, Problem, RoundView, Today,
};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tauri::ipc::{Channel, InvokeBody, Request};
use tauri::{AppHandle, Manager, State};
use uuid::Uuid;

type Answer<T> = Result<T, Problem>;

fn told(error: Error) -> Problem {
    error.problem()
}

#[tauri::command(async)]
pub fn today(app: State<App>) -> Answer<Today> {
    let shown = app.sites()?.shown()?;
    shown.engine.today(shown.driver.line()).map_err(told)
}

#[tauri::command(async)]
pub fn round(app: State<App>, id: RoundId) -> Answer<RoundView> {
    app.engine()?.round(id).map_err(told)
}

#[tauri::command(async)]
pub fn check(app: State<App>, id: CheckId) -> Answer<CheckView> {
    app.engine()?.check(id).map_err(told)
}

#[tauri::command(async)]
pub fn answer(app: State<App>, new: NewAnswer) -> Answer<CheckView> {
    app.engine()?.answer(&new).map_err(told)
}

#[tauri::command(async)]
pub fn finding(app: State<App>, new: NewFinding) -> Answer<CheckView> {
    app.engine()?.finding(&new).map_err(told)
}

#[tauri::command(async)]
pub fn resolve(
    app: State<App>,
    check: CheckId,
    field: String,
    keep: String,
    seen: Vec<Uuid>,
) -> Answer<CheckView> {
    app.engine()?.resolve(check, &field, &keep, &seen).map_err(told)
}

#[tauri::command(async)]
pub fn amend(app: State<App>, new: NewAmendment) -> Answer<CheckView> {
    app.engine()?.amend(&new).map_err(told)
}

#[tauri::command(async)]
pub fn attach_begin(app: State<App>, file: NewFile) -> Answer<String> {
    app.engine()?.attach_begin(file).map_err(told)
}

/// A piece of a file, as raw bytes; the upload's id stands in the header `upload`.
#[tauri::command(async)]
pub fn attach_chunk(app: State<App>, request: Request) -> Answer<u64> {
    let upload = request.headers().get("upload").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let InvokeBody::Raw(bytes) = request.body() else {
        return Err(problem("not-bytes", "a piece of a file comes as raw bytes".into()));
    };
    app.engine()?.attach_chunk(upload, bytes).map_err(told)
}

#[tauri::command(async)]
pub fn attach_end(app: State<App>, upload: String) -> Answer<EvidenceView> {
    app.engine()?.attach_end(&upload).map_err(told)
}

#[tauri::command(async)]
pub fn attach_cancel(app: State<App>, upload: String) -> Answer<()> {
    app.engine()?.attach_cancel(&upload);
    Ok(())
}

#[tauri::command(async)]
pub fn detach(app: State<App>, check: CheckId, item: String, sha256: Sha256) -> Answer<CheckView> {
    app.engine()?.detach(check, &item, sha256).map_err(told)
}

#[tauri::command(async)]
pub fn sign(app: State<App>, new: NewSignOff) -> Answer<RoundView> {
    app.engine()?.sign(new).map_err(told)
}

#[tauri::command(async)]
pub fn verify_seals(app: State<App>, round: RoundId) -> Answer<Vec<SealReport>> {
    app.engine()?.verify_seals(round).map_err(told)
}

#[tauri::command(async)]
pub fn export_seal(app: State<App>, id: SignOffId) -> Answer<String> {
    app.engine()?.export_seal(id).map_err(told)
}

/// Writes a seal where the person looks for what they saved; gives the file's path.
#[tauri::command(async)]
pub fn save_seal(handle: AppHandle, app: State<App>, id: SignOffId) -> Answer<PathBuf> {
    let path = handle.path();
    let folder = path
        .download_dir()
        .or_else(|_| path.document_dir())
        .or_else(|_| path.home_dir())
        .map_err(|error| problem("no-folder", error.to_string()))?;
    app.engine()?.save_seal(id, &folder).map_err(told)
}

#[tauri::command(async)]
pub fn issues(app: State<App>) -> Answer<Vec<IssueLine>> {
    app.engine()?.issues().map_err(told)
}

#[tauri::command(async)]
pub fn issue(app: State<App>, id: IssueId) -> Answer<IssueView> {
    app.engine()?.issue(id).map_err(told)
}

#[tauri::command(async)]
pub fn issue_step(app: State<App>, id: IssueId, request: StepRequest) -> Answer<IssueView> {
    app.engine()?.issue_step(id, &request).map_err(told)
}

#[tauri::command(async)]
pub fn search(app: State<App>, text: String) -> Answer<Vec<AssetLine>> {
    app.engine()?.search(&text).map_err(told)
}

#[tauri::command(async)]
pub fn asset(app: State<App>, id: AssetId) -> Answer<AssetView> {
    app.engine()?.asset(id).map_err(told)
}

#[tauri::command(async)]
pub fn sync_detail(app: State<App>) -> Answer<SyncDetail> {
    let shown = app.sites()?.shown()?;
    shown.engine.sync_detail(shown.driver.line()).map_err(told)
}

#[tauri::command(async)]
pub fn sync_now(app: State<App>) -> Answer<()> {
    app.sites()?.sync_now();
    Ok(())
}

/// The window is looked at again, or its network has come back.
#[tauri::command(async)]
pub fn come_back(app: State<App>) -> Answer<()> {
    app.come_back()
}

/// Says that the person has seen to what was set aside, or takes that back.
#[tauri::command(async)]
pub fn see_to(app: State<App>, things: Vec<AsideId>, seen: bool) -> Answer<()> {
    app.engine()?.see_to(&things, seen).map_err(told)
}

#[tauri::command(async)]
pub fn choose(app: State<App>, choices: Choices) -> Answer<()> {
    app.sites()?.choose(choices)
}

#[tauri::command(async)]
pub fn send_all_the_same(app: State<App>, all: bool) -> Answer<()> {
    app.driver()?.send_all_the_same(all);
    Ok(())
}

/// Somebody looks at the seals of a round; what the office says of the photos in them comes as a change.
#[tauri::command(async)]
pub fn ask_of_sealed(app: State<App>, round: RoundId) -> Answer<()> {
    app.driver()?.ask_of_sealed(round);
    Ok(())
}

/// Fetches an original from the office; `progress` is told how many percent of it are here.
#[tauri::command]
pub async fn fetch_original(app: State<'_, App>, sha256: Sha256, progress: Channel<u8>) -> Answer<()> {
    // Whoever asked may have gone on to another screen.
    let told = move |percent| drop(progress.send(percent));
    match app.driver()?.fetch_original(sha256, told).await {
        Ok(fetched) => fetched.map_err(|error| problem(error.code(), error.to_string())),
        Err(_) => Err(problem("no-thread", "synchronisation has stopped".into())),
    }
}

/// Gives the folder of the site that was joined.
#[tauri::command]
pub async fn enrol(app: State<'_, App>, address: String, code: String) -> Answer<String> {
    app.enrol(&address, &code).await
}

#[tauri::command(async)]
pub fn sites(app: State<App>) -> Answer<Vec<SiteLine>> {
    Ok(app.sites()?.list())
}

#[tauri::command(async)]
pub fn show_site(app: State<App>, folder: String) -> Answer<()> {
    app.sites()?.show(&folder).map_err(told)
}

#[tauri::command(async)]
pub fn leave_site(app: State<App>, folder: String, drafts: u32) -> Answer<()> {
    app.sites()?.leave(&folder, drafts).map_err(told)
}

#[tauri::command(async)]
pub fn drafts(app: State<App>) -> Answer<BTreeMap<String, String>> {
    app.engine()?.drafts().map_err(told)
}

#[tauri::command(async)]
pub fn keep_draft(app: State<App>, name: String, text: String) -> Answer<()> {
    app.engine()?.keep_draft(&name, &text).map_err(told)
}
