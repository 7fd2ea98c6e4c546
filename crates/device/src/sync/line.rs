//! The one line about synchronisation. It never lies.

use standpipe_domain::hold::{Held, Surroundings};
use standpipe_domain::ids::Millis;
use standpipe_domain::sync::{SyncLine, SyncState, Trouble};

/// What waits on this tablet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub enrolled: bool,
    pub records: u32,
    pub photos: u32,
    pub bytes: u64,
    /// Those that are whole neither here nor, as far as is known, at the office.
    pub lost: u32,
    pub held: Option<Held>,
    pub set_aside: u32,
    /// Of what somebody has seen to, what is not at the office.
    pub not_there: u32,
    pub last_synced: Option<Millis>,
}

/// How the driver stands with the office.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    /// A request that carries something up is under way.
    pub sending: bool,
    /// The last time that the hub was asked, it answered; `false` before the first time.
    pub contact: bool,
    /// The hub was started anew, or lost something: whether it has everything that it once confirmed is not known yet.
    pub doubt: bool,
    pub trouble: Option<Trouble>,
}

/// The line that tells of both.
pub(super) fn line(counts: Counts, surroundings: Surroundings, link: &Link) -> SyncLine {
    SyncLine {
        state: match state(counts, link) {
            SyncState::Safe if counts.not_there > 0 => SyncState::SafeBut,
            state => state,
        },
        records: counts.records,
        photos: counts.photos,
        bytes: counts.bytes,
        lost: counts.lost,
        held: counts.held,
        surroundings,
        set_aside: counts.set_aside,
        last_synced: counts.last_synced,
        trouble: if counts.enrolled { link.trouble.clone() } else { None },
    }
}

fn state(counts: Counts, link: &Link) -> SyncState {
    let trouble = link.trouble.as_ref();
    let stuck = trouble.is_some_and(|trouble| {
        trouble.must_join() || matches!(trouble, Trouble::HubNewer | Trouble::BadAddress)
    });
    match counts {
        Counts { enrolled: false, .. } => SyncState::NotEnrolled,
        Counts { set_aside: 1.., .. } => SyncState::NeedsAttention,
        _ if stuck => SyncState::NeedsAttention,
        Counts { records: 0, photos: 0, .. } if link.contact && !link.doubt && link.trouble.is_none() => {
            SyncState::Safe
        }
        // Whatever is asked just now, nothing of this tablet's own goes up.
        Counts { records: 0, photos: 0, .. } if link.doubt => SyncState::Checking,
        Counts { records: 0, photos: 0, .. } => SyncState::Waiting,
        _ if link.sending => SyncState::Sending,
        _ => SyncState::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Counts = Counts {
        enrolled: true,
        records: 0,
        photos: 0,
        bytes: 0,
        lost: 0,
        held: None,
        set_aside: 0,
        not_there: 0,
        last_synced: None,
    };

    fn link(sending: bool, contact: bool, trouble: Option<Trouble>) -> Link {
        Link { sending, contact, doubt: false, trouble }
    }

    #[test]
    fn everything_is_safe_only_when_nothing_waits_and_the_office_has_just_answered() {
        let good = link(false, true, None);
        assert_eq!(state(NOTHING, &good), SyncState::Safe);
        let doubt = Link { doubt: true, ..good.clone() };
        assert_eq!(state(NOTHING, &doubt), SyncState::Checking, "the hub may have lost what it confirmed");
        let cut = Link { contact: false, trouble: Some(Trouble::NoAnswer), ..doubt.clone() };
        assert_eq!(state(NOTHING, &cut), SyncState::Checking, "it is still to be asked");
        assert_eq!(state(Counts { records: 1, ..NOTHING }, &doubt), SyncState::Waiting);
        let asks = Link { sending: true, ..doubt };
        assert_eq!(state(NOTHING, &asks), SyncState::Checking, "nothing is sent");
        assert_eq!(state(Counts { records: 1, ..NOTHING }, &good), SyncState::Waiting);
        assert_eq!(state(Counts { photos: 1, ..NOTHING }, &good), SyncState::Waiting);
        assert_eq!(state(Counts { set_aside: 1, ..NOTHING }, &good), SyncState::NeedsAttention);
        assert_eq!(state(NOTHING, &link(false, false, None)), SyncState::Waiting, "nobody was asked yet");
        let fault = Some(Trouble::HubFault { detail: String::new() });
        assert_eq!(state(NOTHING, &link(false, true, fault)), SyncState::Waiting);
    }

    #[test]
    fn what_is_at_no_office_is_not_said_to_be_there_though_somebody_has_seen_to_it() {
        let good = link(false, true, None);
        let told = |counts| line(counts, Surroundings::default(), &good).state;
        assert_eq!(told(Counts { not_there: 1, ..NOTHING }), SyncState::SafeBut);
        assert_eq!(told(Counts { not_there: 1, records: 1, ..NOTHING }), SyncState::Waiting);
        assert_eq!(told(Counts { not_there: 1, set_aside: 1, ..NOTHING }), SyncState::NeedsAttention);
    }

    #[test]
    fn sending_is_said_only_while_a_request_is_under_way() {
        let waits = Counts { records: 2, ..NOTHING };
        assert_eq!(state(waits, &link(true, true, None)), SyncState::Sending);
        assert_eq!(state(waits, &link(false, true, None)), SyncState::Waiting);
        assert_eq!(state(waits, &link(false, false, Some(Trouble::NoAnswer))), SyncState::Waiting);
    }

    #[test]
    fn what_waiting_does_not_cure_needs_attention() {
        for trouble in [Trouble::Revoked, Trouble::UnknownTablet, Trouble::HubNewer, Trouble::BadAddress] {
            let link = link(true, true, Some(trouble.clone()));
            assert_eq!(
                state(Counts { records: 1, ..NOTHING }, &link),
                SyncState::NeedsAttention,
                "{trouble:?}"
            );
        }
        for trouble in [Trouble::NoAnswer, Trouble::NotAHub, Trouble::HubOlder] {
            let link = link(false, false, Some(trouble.clone()));
            assert_eq!(state(Counts { records: 1, ..NOTHING }, &link), SyncState::Waiting, "{trouble:?}");
        }
    }

    #[test]
    fn a_tablet_without_an_office_has_no_trouble_with_it() {
        let offline = link(false, false, Some(Trouble::NoAnswer));
        let line = line(Counts { enrolled: false, ..NOTHING }, Surroundings::default(), &offline);
        assert_eq!((line.state, line.trouble), (SyncState::NotEnrolled, None));
    }
}
