//! Why a request to the hub did not do what it should, and what the person is told of it.

use super::wire::Broken;
use crate::store::StoreError;
use standpipe_domain::sync::Trouble;

/// What went wrong between the tablet and the hub, and while doing what.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{0:?} is not the address of a hub: it must begin with http:// or https:// and name a host")]
    BadAddress(String),
    #[error("no answer while {doing}: {detail}")]
    NoAnswer { doing: &'static str, detail: String },
    #[error("what answered while {doing} is not a Standpipe hub: {detail}")]
    NotAHub { doing: &'static str, detail: String },
    #[error("the office has withdrawn this tablet's permission")]
    Revoked,
    #[error("the office does not know this tablet")]
    UnknownTablet,
    #[error("the hub speaks a newer protocol: this app must be updated before it can fetch")]
    HubNewer,
    #[error("the hub speaks an older protocol than this app")]
    HubOlder,
    #[error("the office's disk is full, so it could not keep what came while {doing}")]
    HubFull { doing: &'static str },
    #[error("the office keeps too much aside to take more to it, while {doing}")]
    QuarantineFull { doing: &'static str },
    /// The hub understood, and will not.
    #[error("the hub refused while {doing}: {code}: {message}")]
    Refused { doing: &'static str, code: String, message: String },
    /// It is the moment, not the request: the same is tried again later.
    #[error("the hub has too much to do for now, or is not up, while {doing}: {detail}")]
    HubBusy { doing: &'static str, detail: String },
    #[error("the hub failed while {doing}: {detail}")]
    HubFault { doing: &'static str, detail: String },
}

impl Fault {
    /// A stable code for it; the hub's own where it refused.
    pub fn code(&self) -> &str {
        match self {
            Self::BadAddress(_) => "bad-address",
            Self::NoAnswer { .. } => "no-answer",
            Self::NotAHub { .. } => "not-a-hub",
            Self::Revoked => "revoked",
            Self::UnknownTablet => "unknown-tablet",
            Self::HubNewer => "hub-newer",
            Self::HubOlder => "hub-older",
            Self::HubFull { .. } => "hub-full",
            Self::QuarantineFull { .. } => "quarantine-full",
            Self::Refused { code, .. } => code,
            Self::HubBusy { .. } => "hub-busy",
            Self::HubFault { .. } => "hub-fault",
        }
    }

    /// What the person is told.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::BadAddress(_) => Trouble::BadAddress,
            Self::NoAnswer { .. } => Trouble::NoAnswer,
            Self::NotAHub { .. } => Trouble::NotAHub,
            Self::Revoked => Trouble::Revoked,
            Self::UnknownTablet => Trouble::UnknownTablet,
            Self::HubNewer => Trouble::HubNewer,
            Self::HubOlder => Trouble::HubOlder,
            Self::HubFull { .. } => Trouble::HubFull,
            Self::QuarantineFull { .. } => Trouble::QuarantineFull,
            Self::HubBusy { .. } => Trouble::HubBusy,
            Self::Refused { .. } | Self::HubFault { .. } => Trouble::HubFault { detail: self.to_string() },
        }
    }

    /// What a hub does that it should not.
    pub(super) fn of_hub(doing: &'static str, detail: impl Into<String>) -> Self {
        Self::HubFault { doing, detail: detail.into() }
    }

    /// A connection that failed.
    pub(super) fn no_answer(doing: &'static str, Broken(detail): Broken) -> Self {
        Self::NoAnswer { doing, detail }
    }
}

/// Whether nothing else can be done over this link for now. Anything less stops only the lane that met it.
pub(super) fn stops_everything(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::NoAnswer | Trouble::NotAHub | Trouble::BadAddress => true,
        Trouble::Revoked
        | Trouble::UnknownTablet
        | Trouble::HubNewer
        | Trouble::HubOlder
        | Trouble::HubFull
        | Trouble::QuarantineFull
        | Trouble::HubBusy
        | Trouble::HubFault { .. }
        | Trouble::TabletFault { .. } => false,
    }
}

/// Of two troubles in one turn, the one that the person must know: it does not go away by waiting.
pub(super) fn worse(a: Option<Trouble>, b: Trouble) -> Trouble {
    let rank = |trouble: &Trouble| match trouble {
        Trouble::Revoked | Trouble::UnknownTablet => 4,
        Trouble::HubNewer => 3,
        Trouble::TabletFault { .. } => 2,
        Trouble::HubFull | Trouble::QuarantineFull | Trouble::HubOlder => 1,
        _ => 0,
    };
    match a {
        Some(a) if rank(&a) >= rank(&b) => a,
        _ => b,
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        // A tablet in a cellar gets no answer all day long.
        if matches!(fault, Fault::NoAnswer { .. }) {
            tracing::debug!(code = fault.code(), "{fault}");
        } else {
            tracing::warn!(code = fault.code(), "{fault}");
        }
        fault.trouble()
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        tracing::error!(code = error.code(), "{error}");
        Self::TabletFault { detail: error.to_string() }
    }
}
