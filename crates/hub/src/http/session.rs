//! Signing in and out of the console.

use super::auth::{COOKIE_NAME, SignedIn, own_page, session_token};
use super::problem::Problem;
use super::{App, Json};
use crate::secret::{Password, PasswordHash, Token};
use crate::store::Session;
use crate::world::aside;
use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde_json::json;
use standpipe_domain::ids::Millis;
use standpipe_domain::office::{SignIn, Who};
use std::net::SocketAddr;

/// How long a session lasts, in seconds: a day at the office.
const LASTS: i64 = 12 * 60 * 60;
/// The longest name that is looked for, and the longest password that is hashed, in bytes.
const LONGEST: usize = 1024;

/// Too many wrong guesses.
pub fn too_many(wait_seconds: i64) -> Response {
    let message = format!("too many tries; the next one is let through in {wait_seconds} s");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", message)
        .with(json!({ "wait_seconds": wait_seconds }));
    problem.into_response()
}

pub async fn sign_in(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(SignIn { name, password }): Json<SignIn>,
) -> Result<Response, Problem> {
    own_page(&headers)?;
    let now = app.world.now();
    // Nobody has a longer name, and what is counted is remembered.
    if name.len() > LONGEST {
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "wrong-sign-in",
            "the name or the password is wrong",
        ));
    }
    let guesser = format!("{} {name}", peer.ip());
    if let Err(wait) = app.tries.guess(&guesser, now) {
        return Ok(too_many(wait.wait_seconds));
    }
    let wrong =
        || Problem::new(StatusCode::UNAUTHORIZED, "wrong-sign-in", "the name or the password is wrong");
    if password.len() > LONGEST {
        return Err(wrong());
    }
    let user = app.store.user(&name).await?;
    let hash = user.as_ref().map(|user| user.password.clone());
    let fits = fits(&app, Password::new(password), hash).await?;
    let user = user.filter(|_| fits).ok_or_else(wrong)?;
    app.tries.right(&guesser);

    let who = app.store.who(user.person).await?.ok_or_else(wrong)?;
    let token = Token::generate(&*app.world);
    let expires = Millis(now.0 + LASTS * 1000);
    app.store.begin_session(Session { token: token.hash(), person: user.person, expires }).await?;
    tracing::info!(person = %user.person, "{name} signed in");
    Ok((cookie(&app, token.reveal(), LASTS), Json(who)).into_response())
}

pub async fn who(SignedIn(who): SignedIn) -> Json<Who> {
    Json(who)
}

pub async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    own_page(&headers)?;
    if let Some(token) = session_token(&headers) {
        app.store.end_session(token.hash()).await?;
    }
    Ok((cookie(&app, "", 0), StatusCode::NO_CONTENT).into_response())
}

/// Two at a time: each takes 19 MiB and a core.
async fn fits(app: &App, password: Password, hash: Option<PasswordHash>) -> Result<bool, Problem> {
    let _turn = app.hashing.acquire().await;
    let of = app.clone();
    let compared = aside(&*app.world, move || password.fits(&hash.map_or_else(|| of.of_nobody(), Ok)?)).await;
    Ok(compared.map_err(|error| Problem::fault("unhashable", &error))??)
}

fn cookie(app: &App, token: &str, lasts: i64) -> AppendHeaders<[(axum::http::HeaderName, String); 1]> {
    let secure = if app.behind_tls { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={token}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{secure}");
    AppendHeaders([(SET_COOKIE, cookie)])
}
