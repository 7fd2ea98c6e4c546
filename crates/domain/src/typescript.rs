//! The TypeScript types of both user interfaces, generated from the types here.

use ts_rs::{Config, TS};

/// One file with every type that crosses to a screen.
///
/// `cargo run -p standpipe-domain --example typescript` writes it to its place.
pub fn declarations() -> String {
    let config = Config::default();
    let mut out = String::from(
        "// Generated from crates/domain. Do not edit: run `make types`.\n/* eslint-disable */\n",
    );
    macro_rules! declare {
        ($($type:ty),* $(,)?) => {$(
            out.push_str("\nexport ");
            out.push_str(&<$type as TS>::decl(&config));
            out.push('\n');
        )*};
    }
    use crate::{answer, asset, checklist, evidence, finding, hold, ids, issue, kept, limit, office, people};
    use crate::{permission, place, round, signoff, site, sync, tablet, words};
    declare![
        ids::SiteId,
        ids::PlaceId,
        ids::AssetId,
        ids::RoundId,
        ids::CheckId,
        ids::FindingId,
        ids::SignOffId,
        ids::IssueId,
        ids::UnitId,
        ids::PersonId,
        ids::DeviceId,
        ids::Sha256,
        ids::Millis,
        words::Words,
        place::PlaceKind,
        place::Place,
        asset::AssetKind,
        asset::Asset,
        asset::AssetLine,
        limit::Unit,
        limit::Limit,
        limit::Judgement,
        checklist::ChecklistRef,
        checklist::Checklist,
        checklist::Item,
        checklist::AnswerKind,
        checklist::Choice,
        checklist::Source,
        checklist::Standing,
        answer::Outcome,
        answer::Reading,
        answer::Answer,
        answer::Refusal,
        evidence::Evidence,
        evidence::Whereabouts,
        evidence::Preview,
        evidence::EvidenceView,
        finding::Severity,
        kept::KeptAgainstDelete,
        finding::FindingView,
        finding::Lack,
        permission::Act,
        people::UnitLevel,
        people::Role,
        people::Person,
        people::ResponsibleUnit,
        round::RoundKind,
        round::Round,
        round::Check,
        round::RoundState,
        round::StopState,
        signoff::Point,
        signoff::SignOffView,
        signoff::Signature,
        signoff::SealedPhotos,
        signoff::NewSignOff,
        signoff::NoSignOff,
        signoff::Obstacles,
        signoff::SealReport,
        issue::Status,
        issue::Step,
        issue::StepRequest,
        issue::NoStep,
        issue::IssueLine,
        issue::IssueView,
        issue::StatusSide,
        issue::Outside,
        issue::Solution,
        issue::TimelineEntry,
        hold::Network,
        hold::Battery,
        hold::Surroundings,
        hold::Choices,
        hold::Hold,
        hold::Held,
        sync::SyncState,
        sync::SyncLine,
        sync::Trouble,
        sync::SyncDetail,
        sync::SetAside,
        sync::AsideId,
        sync::Author,
        sync::Kept,
        sync::Seen,
        sync::Recorded,
        sync::Spot,
        sync::Subject,
        sync::WaitingRecords,
        tablet::Today,
        tablet::Rescue,
        tablet::RoundLine,
        tablet::RoundView,
        tablet::Stop,
        tablet::CheckView,
        tablet::LastAnswer,
        tablet::FieldConflict,
        tablet::ConflictSide,
        tablet::Sealed,
        tablet::Amendment,
        tablet::AmendedStop,
        tablet::AssetView,
        tablet::AssetCheck,
        tablet::NewAnswer,
        tablet::NewAmendment,
        tablet::NewFinding,
        tablet::AttachTo,
        tablet::NewFile,
        tablet::Problem,
        site::SiteLine,
        site::Keeps,
        office::SignIn,
        office::Who,
        office::OfficeRound,
        office::OfficeCheck,
        office::Directory,
        office::Tablet,
        office::EnrolmentCode,
        office::NewTablet,
        office::Quarantined,
        office::QuarantineList,
        office::AsidePlace,
        office::SeeTo,
        office::JudgedAgain,
        office::ApiProblem,
        office::IssueFilter,
    ];
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_generated_file_is_not_stale() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/kit/src/generated/domain.ts");
        let written = std::fs::read_to_string(path).expect("ui/kit/src/generated/domain.ts");
        assert!(written == super::declarations(), "{path} is stale: run `make types`");
    }
}
