//! What the console asks for: rounds, issues, who is there, tablets, quarantine.

use super::auth::SignedIn;
use super::problem::Problem;
use super::{App, Json, Path, Query};
use crate::blobs::{Blob, MAX_BLOB};
use crate::ingest;
use crate::issues;
use crate::secret::Code;
use crate::store::Enrolment;
use crate::world::day;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{DeviceId, IssueId, Millis, PersonId, RoundId, SignOffId};
use standpipe_domain::issue::{IssueLine, IssueView, StepRequest};
use standpipe_domain::office::{
    Directory, EnrolmentCode, IssueFilter, JudgedAgain, NewTablet, OfficeRound, QuarantineList, SeeTo,
    Tablet, Who,
};
use standpipe_domain::permission::{Act, PROVE};
use standpipe_domain::tablet::RoundLine;
use std::sync::Arc;

/// How long an enrolment code may be used, in milliseconds: fifteen minutes.
pub const CODE_LASTS: i64 = 15 * 60 * 1000;
/// The longest name of a tablet or a photo, in characters.
const LONGEST_NAME: usize = 200;
/// So many places of what was set aside one request may name: as many as are listed.
const MOST_AT_ONCE: usize = 1_000;

pub async fn rounds(State(app): State<App>, reader: SignedIn) -> Result<Json<Vec<RoundLine>>, Problem> {
    reader.may(Act::Read)?;
    Ok(Json(app.store.rounds(day(app.world.now())).await?))
}

pub async fn round(
    State(app): State<App>,
    reader: SignedIn,
    Path(id): Path<RoundId>,
) -> Result<Json<OfficeRound>, Problem> {
    reader.may(Act::Read)?;
    let round = app.store.round(id, day(app.world.now())).await?;
    Ok(Json(round.ok_or_else(|| Problem::unknown("round"))?))
}

pub async fn issues(
    State(app): State<App>,
    reader: SignedIn,
    Query(filter): Query<Filter>,
) -> Result<Json<Vec<IssueLine>>, Problem> {
    reader.may(Act::Read)?;
    Ok(Json(app.store.issues(&filter.read()?, day(app.world.now())).await?))
}

/// The filter of a list of issues, as an address carries it: a form that was left empty says `status=`.
#[derive(Deserialize)]
pub struct Filter {
    #[serde(default)]
    status: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    q: String,
}

impl Filter {
    fn read(self) -> Result<IssueFilter, Problem> {
        let status = match self.status.as_str() {
            "" => None,
            status => Some(serde_json::from_value(status.into()).map_err(Problem::malformed)?),
        };
        let unit = match self.unit.as_str() {
            "" => None,
            unit => Some(unit.parse().map_err(Problem::malformed)?),
        };
        Ok(IssueFilter { status, unit, q: self.q })
    }
}

pub async fn issue(
    State(app): State<App>,
    reader: SignedIn,
    Path(id): Path<IssueId>,
) -> Result<Json<IssueView>, Problem> {
    reader.may(Act::Read)?;
    view(&app, id, reader.0.person).await
}

pub async fn step(
    State(app): State<App>,
    SignedIn(who): SignedIn,
    Path(id): Path<IssueId>,
    Json(request): Json<StepRequest>,
) -> Result<Json<IssueView>, Problem> {
    issues::step(&*app.store, Arc::clone(&app.world), id, who.person, request).await?;
    view(&app, id, who.person).await
}

#[derive(Deserialize)]
pub struct Named {
    name: String,
}

/// Takes a photo of the fix, whole in one request. It is part of the issue once its bytes are verified.
pub async fn prove(
    State(app): State<App>,
    giver: SignedIn,
    Path(id): Path<IssueId>,
    Query(Named { name }): Query<Named>,
    body: Body,
) -> Result<Json<IssueView>, Problem> {
    // Asked before the bytes are taken: what nobody may add needs no room on the disk.
    if !PROVE.iter().any(|act| giver.0.acts.contains(act)) {
        return Err(Problem::not_allowed());
    }
    let person = giver.0.person;
    view(&app, id, person).await?;
    let now = app.world.now();
    let blob = app.blobs.take(app.world.uuid(), MAX_BLOB, body.into_data_stream(), now).await?;
    if blob.bytes == 0 {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "empty-file", "the photo holds no bytes"));
    }
    app.blobs.show_as_it_is(&blob).await?;
    let Blob { sha256, bytes, media_type, .. } = blob;
    let name = name.chars().take(LONGEST_NAME).collect();
    let evidence = Evidence { sha256, media_type, bytes, name, item: None, at: now };
    issues::prove(&*app.store, Arc::clone(&app.world), id, person, evidence).await?;
    view(&app, id, person).await
}

/// Has an issue brought anew into the tracker that the office had before, where somebody deleted it. In any other state it
/// stays as it is: somebody else was faster, or it is there again.
pub async fn bring_again(
    State(app): State<App>,
    office: SignedIn,
    Path(id): Path<IssueId>,
) -> Result<Json<IssueView>, Problem> {
    office.may(Act::Direct)?;
    let by = office.0.person;
    if app.tracker.is_some() && app.store.bring_again(id).await? {
        tracing::info!(issue = %id, %by, "an issue is brought into the outside tracker again");
        app.wanted.notify_one();
    }
    view(&app, id, by).await
}

async fn view(app: &App, id: IssueId, asking: PersonId) -> Result<Json<IssueView>, Problem> {
    let issue = app.store.issue(id, asking, day(app.world.now())).await?;
    let mut issue = issue.ok_or_else(|| Problem::unknown("issue"))?;
    if let Some(tracker) = &app.tracker {
        issue.outside = Some(tracker.shows(app.store.filing(id).await?));
    }
    Ok(Json(issue))
}

pub async fn directory(State(app): State<App>, reader: SignedIn) -> Result<Json<Directory>, Problem> {
    reader.may(Act::Read)?;
    Ok(Json(app.store.directory().await?))
}

/// A seal as a file that any JOSE library verifies.
pub async fn seal(
    State(app): State<App>,
    reader: SignedIn,
    Path(id): Path<SignOffId>,
) -> Result<Response, Problem> {
    reader.may(Act::Read)?;
    let jws = app.store.seal(id).await?.ok_or_else(|| Problem::unknown("signature"))?;
    let headers = [
        (CONTENT_TYPE, "application/jose+json".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"seal-{id}.json\"")),
    ];
    let text = serde_json::to_string_pretty(&jws).map_err(|error| Problem::fault("seal", &error))?;
    Ok((headers, text).into_response())
}

pub async fn tablets(State(app): State<App>, reader: SignedIn) -> Result<Json<Vec<Tablet>>, Problem> {
    reader.may(Act::Read)?;
    Ok(Json(app.store.tablets().await?))
}

pub async fn new_tablet(
    State(app): State<App>,
    office: SignedIn,
    Json(new): Json<NewTablet>,
) -> Result<(StatusCode, Json<EnrolmentCode>), Problem> {
    office.may(Act::Administer)?;
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let message = format!("a tablet has a name of 1 to {LONGEST_NAME} characters");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-name", message));
    }
    if app.store.who(new.person).await?.is_none() {
        let message = "the hub does not know who shall hold the tablet";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown-person", message));
    }
    let code = Code::generate(&*app.world);
    let expires = Millis(app.world.now().0 + CODE_LASTS);
    let enrolment = Enrolment { code: code.hash(), name: name.to_owned(), person: new.person, expires };
    app.store.offer(enrolment).await?;
    Ok((StatusCode::CREATED, Json(EnrolmentCode { code: code.reveal(), expires })))
}

pub async fn revoke(
    State(app): State<App>,
    office: SignedIn,
    Path(id): Path<DeviceId>,
) -> Result<Json<Tablet>, Problem> {
    office.may(Act::Administer)?;
    let tablet = app.store.revoke(id).await?.ok_or_else(|| Problem::unknown("tablet"))?;
    tracing::info!(device = %id, by = %office.0.person, "the tablet {} was revoked", tablet.name);
    app.poke();
    app.lines.end(id.0);
    Ok(Json(tablet))
}

/// Judges again everything that was set aside. Says how many were taken over, and lists what stays aside.
pub async fn judge_again(State(app): State<App>, office: SignedIn) -> Result<Json<JudgedAgain>, Problem> {
    office.may(Act::Administer)?;
    let mut taken = 0;
    for tablet in app.store.tablets().await? {
        let judged = ingest::judge_again(&*app.store, Arc::clone(&app.world), tablet.id, None).await?;
        taken += judged.taken as u64;
    }
    tracing::info!(by = %office.0.person, taken, "what was set aside was judged again");
    Ok(Json(JudgedAgain { taken, left: app.store.set_aside().await? }))
}

/// What somebody has seen to, of all that was set aside.
pub async fn seen_to(State(app): State<App>, reader: SignedIn) -> Result<Json<QuarantineList>, Problem> {
    reader.may(Act::Read)?;
    Ok(Json(app.store.seen_to().await?))
}

/// Somebody has seen to what was set aside, or takes that back. Nothing is deleted by it.
pub async fn see_to(
    State(app): State<App>,
    office: SignedIn,
    Json(what): Json<SeeTo>,
) -> Result<StatusCode, Problem> {
    office.may(Act::Administer)?;
    if what.places.len() > MOST_AT_ONCE {
        let message = format!("at most {MOST_AT_ONCE} at once");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", message).limit(MOST_AT_ONCE));
    }
    let (count, seen) = (what.places.len(), what.seen);
    let Who { person, name, .. } = &office.0;
    app.store.see_to(what, *person, name, app.world.now()).await?;
    tracing::info!(by = %person, count, seen, "what was set aside was marked as seen to, or not");
    app.poke();
    Ok(StatusCode::NO_CONTENT)
}

pub async fn quarantine(State(app): State<App>, reader: SignedIn) -> Result<Json<QuarantineList>, Problem> {
    reader.may(Act::Read)?;
    Ok(Json(app.store.set_aside().await?))
}
