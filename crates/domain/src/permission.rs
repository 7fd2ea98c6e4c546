//! Who may do what: one table, asked by the hub on each operation and request, and by the screens.

use crate::people::Role;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Something a person may or may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    Read,
    /// Answer checks, record findings and evidence, seal a round with its signatures.
    Record,
    /// Give an issue a responsible unit, a person and a deadline; close it.
    Direct,
    /// Propose a solution, begin the work, claim it done.
    Answer,
    /// Object to a proposal, or agree to it.
    Judge,
    /// Verify a claimed fix or reopen it. Never one's own claim.
    Verify,
    /// Plan rounds; change places and assets.
    Plan,
    /// People, tablets, settings.
    Administer,
}

impl Act {
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Record,
        Self::Direct,
        Self::Answer,
        Self::Judge,
        Self::Verify,
        Self::Plan,
        Self::Administer,
    ];
}

/// Whoever may do one of these may add a photo of the fix to an issue.
pub const PROVE: [Act; 2] = [Act::Answer, Act::Verify];

/// Whether somebody in `role` may do `act`.
pub const fn role_may(role: Role, act: Act) -> bool {
    use Act::{Administer, Answer, Direct, Judge, Plan, Read, Record, Verify};
    match role {
        Role::Administrator => matches!(act, Read | Direct | Answer | Judge | Verify | Plan | Administer),
        Role::Supervisor => matches!(act, Read | Direct | Judge | Verify | Plan),
        Role::UnitStaff => matches!(act, Read | Answer),
        Role::Inspector => matches!(act, Read | Record | Verify),
        Role::OwnerRepresentative => matches!(act, Read | Judge | Verify),
        Role::Reader => matches!(act, Read),
    }
}

/// Whether somebody who has `roles` may do `act`.
pub fn may(roles: &[Role], act: Act) -> bool {
    roles.iter().any(|role| role_may(*role, act))
}

/// Whether somebody who has `roles` may do one of `acts`.
pub fn may_one(roles: &[Role], acts: &[Act]) -> bool {
    acts.iter().any(|act| may(roles, *act))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_as_it_was_decided() {
        // R read, E record, D direct, A answer, J judge, V verify, P plan, M administer
        let table = [
            (Role::Inspector, "RE···V··"),
            (Role::OwnerRepresentative, "R···JV··"),
            (Role::UnitStaff, "R··A····"),
            (Role::Supervisor, "R·D·JVP·"),
            (Role::Administrator, "R·DAJVPM"),
            (Role::Reader, "R·······"),
        ];
        for (role, row) in table {
            for (act, cell) in Act::ALL.into_iter().zip(row.chars()) {
                assert_eq!(role_may(role, act), cell != '·', "{role:?} {act:?}");
            }
        }
    }
}
