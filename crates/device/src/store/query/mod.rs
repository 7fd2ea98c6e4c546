//! What the screens ask for. Each question reads the columns that it shows, and no more.

mod aside;
mod asset;
mod check;
mod common;
mod evidence;
mod issue;
mod round;
mod seal;
mod subject;
mod sync;
mod today;

pub use asset::{asset, search};
pub use check::{check, check_row, finding_conflicts, is_found, was_amended_to_fail};
pub use common::{answers_in, identity, person_name, place_path, roles, site, unit_name};
#[cfg(test)]
pub use evidence::held_view;
pub use evidence::{evidence_in, evidence_of, evidence_view, members_of};
pub use issue::{issue, issue_row, issues};
pub use round::{obstacles, round, round_record};
pub use seal::{Sealable, has_signed, jws, reports, sealable, sealed_of_others};
#[cfg(test)]
pub use seal::{sealed_photos, sign_offs};
pub use sync::sync_detail;
pub use today::today;
