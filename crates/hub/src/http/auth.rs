//! Who is asking: a person with a session, or a tablet with a token.

use super::App;
use super::problem::Problem;
use crate::secret::Token;
use crate::store::Device;
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use standpipe_domain::office::Who;
use standpipe_domain::permission::Act;
use uuid::Uuid;

/// The session's cookie.
pub const COOKIE_NAME: &str = "standpipe_session";
/// Only a page of the hub's own can send it: a foreign page would have to ask first, and is never answered.
const CLIENT: HeaderName = HeaderName::from_static("standpipe-client");

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn(pub Who);

/// A tablet, whether its permission was withdrawn or not: what it recorded is always taken.
#[derive(Clone, Debug)]
pub struct AnyTablet(pub Device);

/// A tablet that may be given something.
#[derive(Clone, Debug)]
pub struct Tablet(pub Device);

/// Somebody who may read, by whichever way: a tablet, or a person.
#[derive(Clone, Copy, Debug)]
pub struct Reader(pub Uuid);

impl SignedIn {
    /// Whether they may do it, as the domain's table says.
    pub fn may(&self, act: Act) -> Result<(), Problem> {
        if self.0.acts.contains(&act) { Ok(()) } else { Err(Problem::not_allowed()) }
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if !parts.method.is_safe() {
            own_page(&parts.headers)?;
        }
        let out =
            || Problem::new(StatusCode::UNAUTHORIZED, "signed-out", "nobody is signed in; sign in first");
        let token = session_token(&parts.headers).ok_or_else(out)?;
        let person = app.store.session(token.hash(), app.world.now()).await?.ok_or_else(out)?;
        app.store.who(person).await?.map(Self).ok_or_else(out)
    }
}

impl FromRequestParts<App> for AnyTablet {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let unknown = || {
            let message = "the hub does not know this token; enrol the tablet again";
            Problem::new(StatusCode::UNAUTHORIZED, "unknown-token", message)
        };
        let token = bearer(&parts.headers).ok_or_else(unknown)?;
        app.store.device_by_token(token.hash()).await?.map(Self).ok_or_else(unknown)
    }
}

impl FromRequestParts<App> for Tablet {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let AnyTablet(device) = AnyTablet::from_request_parts(parts, app).await?;
        if device.revoked {
            let message =
                "the office has withdrawn this tablet's permission; what it recorded is still taken";
            return Err(Problem::new(StatusCode::FORBIDDEN, "revoked", message));
        }
        Ok(Self(device))
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if bearer(&parts.headers).is_some() {
            let Tablet(device) = Tablet::from_request_parts(parts, app).await?;
            return Ok(Self(device.id.0));
        }
        let signed_in = SignedIn::from_request_parts(parts, app).await?;
        signed_in.may(Act::Read)?;
        Ok(Self(signed_in.0.person.0))
    }
}

/// Refuses a request that changes something and may come from a foreign page in the person's browser.
pub fn own_page(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(CLIENT).is_some_and(|client| client == "console") {
        return Ok(());
    }
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()?.split_once("://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (origin, host) {
        (Some((_, origin)), Some(host)) if origin == host => Ok(()),
        _ => {
            let message = "this request does not come from the hub's own page";
            Err(Problem::new(StatusCode::FORBIDDEN, "cross-site", message))
        }
    }
}

/// The session's token out of the cookies.
pub fn session_token(headers: &HeaderMap) -> Option<Token> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, token)| Token::received(token))
}

fn bearer(headers: &HeaderMap) -> Option<Token> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Token::received(token.trim()))
}
