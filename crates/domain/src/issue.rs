//! What the office tracks, and the life of it.

use crate::answer::{NOTE_LIMIT, brief};
use crate::evidence::EvidenceView;
use crate::finding::Severity;
use crate::ids::{FindingId, IssueId, Millis, PersonId, RoundId, UnitId};
use crate::people::Role;
use crate::permission::{Act, may};
use crate::words::Words;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ts_rs::TS;
use uuid::Uuid;

/// Where an issue stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Open,
    Assigned,
    Proposed,
    Objected,
    Agreed,
    UnderWay,
    ClaimedDone,
    Verified,
    Closed,
    Reopened,
}

/// A step from one status to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    Assign,
    Propose,
    Object,
    Agree,
    Start,
    ClaimDone,
    Verify,
    Close,
    Reopen,
}

/// What is sent to move an issue on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StepRequest {
    pub step: Step,
    /// With `assign`: who is responsible.
    #[serde(default)]
    pub unit: Option<UnitId>,
    #[serde(default)]
    pub person: Option<PersonId>,
    /// With `assign` the deadline, with `propose` the day by which the solution is done.
    #[serde(default)]
    #[ts(type = "string | null")]
    pub date: Option<Date>,
    /// With `propose` the solution, with `object` and `reopen` the reason; elsewhere a note.
    #[serde(default)]
    pub words: String,
    /// The statuses that its author saw: see [`IssueView::statuses`]. Over any other the step is not taken.
    #[serde(default)]
    #[ts(type = "string[]")]
    pub seen: Vec<Uuid>,
}

/// Why a step cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, TS)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum NoStep {
    #[error("an issue that is {from:?} cannot take the step {step:?}")]
    NotFromHere { from: Status, step: Step },
    /// A status stands that whoever takes the step did not see.
    #[error("{by} has moved the issue on meanwhile: look again")]
    MovedOn { by: String },
    #[error("this person may not take this step")]
    NotAllowed,
    #[error("nobody verifies their own claim")]
    OwnClaim,
    #[error("an assignment names a unit, a person and a deadline")]
    AssignmentIncomplete,
    #[error("a proposed solution without a date is not accepted")]
    NoDate,
    #[error("a few words are missing")]
    NoWords,
    #[error("whoever verifies a fix shows it by a photo of their own")]
    NoPhoto,
    #[error("a step's words hold at most {limit} characters")]
    TooLong { limit: u32 },
}

impl Status {
    /// Nothing is left to be done: the fix was verified, or the office has closed the issue.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Verified | Self::Closed)
    }

    /// Whether an issue of this status should have been done before the day `today`.
    pub fn is_overdue(self, deadline: Option<Date>, today: Date) -> bool {
        !self.is_over() && deadline.is_some_and(|deadline| deadline < today)
    }
}

impl Step {
    pub const ALL: [Self; 9] = [
        Self::Assign,
        Self::Propose,
        Self::Object,
        Self::Agree,
        Self::Start,
        Self::ClaimDone,
        Self::Verify,
        Self::Close,
        Self::Reopen,
    ];

    /// What somebody must be allowed to do to take this step.
    pub const fn act(self) -> Act {
        match self {
            Self::Assign | Self::Close => Act::Direct,
            Self::Propose | Self::Start | Self::ClaimDone => Act::Answer,
            Self::Object | Self::Agree => Act::Judge,
            Self::Verify | Self::Reopen => Act::Verify,
        }
    }

    /// Whether `by`, who takes the step, has shown what it says, where `photographers` added the photos of the fix. Who
    /// verifies has been there. By whom, not when: clocks are no judges.
    pub fn shown(
        self,
        by: PersonId,
        photographers: impl IntoIterator<Item = PersonId>,
    ) -> Result<(), NoStep> {
        if self != Self::Verify || photographers.into_iter().any(|photographer| photographer == by) {
            Ok(())
        } else {
            Err(NoStep::NoPhoto)
        }
    }

    /// The fields that this step may set beside the status.
    pub const fn sets(self) -> &'static [&'static str] {
        match self {
            Self::Assign => &["unit", "person", "deadline"],
            Self::Propose => &["solution"],
            Self::ClaimDone => &["claimed_by"],
            _ => &[],
        }
    }

    /// The status that this step leads to, from wherever it starts. No other step leads there.
    pub const fn to(self) -> Status {
        match self {
            Self::Assign => Status::Assigned,
            Self::Propose => Status::Proposed,
            Self::Object => Status::Objected,
            Self::Agree => Status::Agreed,
            Self::Start => Status::UnderWay,
            Self::ClaimDone => Status::ClaimedDone,
            Self::Verify => Status::Verified,
            Self::Close => Status::Closed,
            Self::Reopen => Status::Reopened,
        }
    }

    /// The status that this step leads to from `from`, or `None` when it does not start there.
    pub const fn leads_to(self, from: Status) -> Option<Status> {
        use Status::{
            Agreed, Assigned, ClaimedDone, Closed, Objected, Open, Proposed, Reopened, UnderWay, Verified,
        };
        let starts = match self {
            Self::Assign => matches!(from, Open | Assigned | Objected | Reopened),
            Self::Propose => matches!(from, Assigned | Proposed | Objected),
            Self::Object | Self::Agree => matches!(from, Proposed),
            Self::Start => matches!(from, Agreed),
            Self::ClaimDone => matches!(from, UnderWay),
            Self::Verify => matches!(from, ClaimedDone),
            Self::Close => matches!(from, Verified),
            Self::Reopen => matches!(from, ClaimedDone | Verified | Closed),
        };
        if starts { Some(self.to()) } else { None }
    }
}

/// Who wants to take a step.
#[derive(Clone, Copy, Debug)]
pub struct Mover<'a> {
    pub person: PersonId,
    pub roles: &'a [Role],
}

impl Mover<'_> {
    /// The status that `step` leads to, if this person may take it from `from`.
    pub fn may_take(&self, step: Step, from: Status, claimed_by: Option<PersonId>) -> Result<Status, NoStep> {
        let to = step.leads_to(from).ok_or(NoStep::NotFromHere { from, step })?;
        if !may(self.roles, step.act()) {
            return Err(NoStep::NotAllowed);
        }
        if step == Step::Verify && claimed_by == Some(self.person) {
            return Err(NoStep::OwnClaim);
        }
        Ok(to)
    }

    /// The steps that this person may take next.
    pub fn next_steps(&self, from: Status, claimed_by: Option<PersonId>) -> Vec<Step> {
        Step::ALL.into_iter().filter(|step| self.may_take(*step, from, claimed_by).is_ok()).collect()
    }
}

impl StepRequest {
    /// A step that needs nothing but itself, by somebody who has seen nothing.
    pub fn bare(step: Step) -> Self {
        Self { step, unit: None, person: None, date: None, words: String::new(), seen: Vec::new() }
    }

    /// Whether the request carries what its step needs.
    pub fn complete(&self) -> Result<(), NoStep> {
        let words = !self.words.trim().is_empty();
        brief(&self.words).map_err(|_| NoStep::TooLong { limit: NOTE_LIMIT })?;
        match self.step {
            Step::Assign if self.unit.is_none() || self.person.is_none() || self.date.is_none() => {
                Err(NoStep::AssignmentIncomplete)
            }
            Step::Propose if self.date.is_none() => Err(NoStep::NoDate),
            Step::Propose | Step::Object | Step::Reopen if !words => Err(NoStep::NoWords),
            _ => Ok(()),
        }
    }

    /// The fields of the issue that the step sets when `by` takes it and it leads to `to`: `status` first.
    pub fn changes(&self, to: Status, by: PersonId) -> Vec<(&'static str, Value)> {
        let mut changes = vec![("status", json!(to))];
        let words = self.words.trim().to_owned();
        match (self.step, self.date) {
            (Step::Assign, deadline) => changes.extend([
                ("unit", json!(self.unit)),
                ("person", json!(self.person)),
                ("deadline", json!(deadline)),
            ]),
            (Step::Propose, Some(date)) => changes.push(("solution", json!(Solution { words, date }))),
            (Step::ClaimDone, _) => changes.push(("claimed_by", json!(by))),
            _ => {}
        }
        changes
    }
}

/// An issue in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct IssueLine {
    pub id: IssueId,
    /// For people: the site's code and a number, `ZJ-35`.
    pub number: String,
    /// The question of the failed item, or what the office called it.
    pub title: Words,
    /// What the inspector, or the office, says about it.
    pub words: String,
    /// The finding that it was opened for: its title is then what failed.
    pub finding: Option<FindingId>,
    pub severity: Severity,
    pub status: Status,
    pub unit: Option<Words>,
    pub person: Option<String>,
    #[ts(type = "string | null")]
    pub deadline: Option<Date>,
    pub overdue: bool,
    /// The item that it was opened for does not fail any more: the inspector answered it otherwise, or amended it.
    pub withdrawn: bool,
    /// From the phase down to the place; empty where the issue has none.
    pub path: Vec<Words>,
    pub asset: Option<Words>,
    pub changed: Millis,
}

/// An issue with everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct IssueView {
    #[serde(flatten)]
    pub line: IssueLine,
    /// Every status that stands, the one that the line says first: several where steps were taken out of each other's
    /// sight. Screens show them all, and a step is taken over all of them.
    pub statuses: Vec<StatusSide>,
    pub round: Option<RoundId>,
    pub unit_id: Option<UnitId>,
    pub person_id: Option<PersonId>,
    pub solution: Option<Solution>,
    /// As it was found.
    pub before: Vec<EvidenceView>,
    /// As it was after the fix.
    pub after: Vec<EvidenceView>,
    pub timeline: Vec<TimelineEntry>,
    /// The steps that the person who asks may take now.
    pub next_steps: Vec<Step>,
    /// Whether it is in the tracker that the office had before; `None` where there is none, or who asks is a tablet.
    #[serde(default)]
    pub outside: Option<Outside>,
}

impl IssueView {
    /// What whoever looks at this sees of the status, as a step names it.
    pub fn seen(&self) -> Vec<Uuid> {
        self.statuses.iter().map(|side| side.rev).collect()
    }
}

/// A status that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StatusSide {
    /// The operation that wrote it.
    #[ts(type = "string")]
    pub rev: Uuid,
    pub status: Status,
    pub by: String,
}

/// Whether an issue is in the tracker that the office had before the hub's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Outside {
    /// It was not sent so far.
    Waits,
    /// It was sent, and nobody knows yet whether it arrived.
    Sent,
    /// It is there: under this number, at this address.
    Filed {
        #[ts(type = "number")]
        number: u64,
        address: String,
    },
    /// It was there under this number, and somebody deleted it there. It is brought again when a person says so.
    Gone {
        #[ts(type = "number")]
        number: u64,
    },
    /// The tracker does not take it, and says why. It is offered again.
    Refused { said: String },
}

/// A proposed solution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Solution {
    pub words: String,
    #[ts(type = "string")]
    pub date: Date,
}

/// One thing that happened to an issue, as it is kept in the record and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TimelineEntry {
    /// `None` for the entry that opened the issue.
    pub step: Option<Step>,
    pub to: Status,
    pub by: String,
    pub at: Millis,
    #[serde(default)]
    pub unit: Option<Words>,
    #[serde(default)]
    pub person: Option<String>,
    #[serde(default)]
    #[ts(type = "string | null")]
    pub date: Option<Date>,
    #[serde(default)]
    pub words: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    #[test]
    fn an_issue_walks_from_open_to_closed() {
        let walk = [
            Step::Assign,
            Step::Propose,
            Step::Object,
            Step::Propose,
            Step::Agree,
            Step::Start,
            Step::ClaimDone,
            Step::Reopen,
            Step::Assign,
            Step::Propose,
            Step::Agree,
            Step::Start,
            Step::ClaimDone,
            Step::Verify,
            Step::Close,
        ];
        let end = walk.into_iter().fold(Status::Open, |from, step| {
            step.leads_to(from).unwrap_or_else(|| panic!("{step:?} from {from:?}"))
        });
        assert_eq!(end, Status::Closed);
        assert_eq!(Step::Close.leads_to(Status::Open), None);
        assert_eq!(
            Step::Start.leads_to(Status::Proposed),
            None,
            "work does not begin before somebody agreed"
        );
    }

    #[test]
    fn nobody_verifies_their_own_claim() {
        let roles = [Role::Administrator];
        let mover = Mover { person: person(1), roles: &roles };
        let verify = |claimed_by| mover.may_take(Step::Verify, Status::ClaimedDone, claimed_by);
        assert_eq!(verify(Some(person(1))), Err(NoStep::OwnClaim));
        assert_eq!(verify(Some(person(2))), Ok(Status::Verified));
    }

    #[test]
    fn an_inspector_may_verify_or_reopen_a_claimed_fix_and_nothing_else() {
        let mover = Mover { person: person(1), roles: &[Role::Inspector] };
        assert_eq!(mover.next_steps(Status::ClaimedDone, Some(person(2))), [Step::Verify, Step::Reopen]);
        assert_eq!(mover.next_steps(Status::Open, None), []);
    }

    #[test]
    fn who_verifies_shows_a_photo_of_their_own() {
        let (inspector, staff) = (person(1), person(2));
        assert_eq!(Step::Verify.shown(inspector, [staff]), Err(NoStep::NoPhoto));
        assert_eq!(Step::Verify.shown(inspector, [staff, inspector]), Ok(()));
        assert_eq!(Step::Close.shown(inspector, []), Ok(()));
    }

    #[test]
    fn a_step_sets_what_it_says() {
        let date = Some(jiff::civil::date(2023, 7, 15));
        for step in Step::ALL {
            let request = StepRequest { date, words: " x ".into(), ..StepRequest::bare(step) };
            let changes = request.changes(Status::Open, person(1));
            let fields: Vec<_> = changes.iter().map(|(field, _)| *field).collect();
            assert_eq!(fields.split_first(), Some((&"status", step.sets())), "{step:?}");
        }
    }

    #[test]
    fn a_step_carries_what_it_needs() {
        let date = jiff::civil::date(2023, 7, 15);
        let propose =
            |words: &str, date| StepRequest { date, words: words.into(), ..StepRequest::bare(Step::Propose) };
        assert_eq!(propose("更换阀门", None).complete(), Err(NoStep::NoDate));
        assert_eq!(propose(" ", Some(date)).complete(), Err(NoStep::NoWords));
        assert_eq!(propose("更换阀门", Some(date)).complete(), Ok(()));
        assert_eq!(StepRequest::bare(Step::Assign).complete(), Err(NoStep::AssignmentIncomplete));
        assert_eq!(StepRequest::bare(Step::Verify).complete(), Ok(()));
    }
}
