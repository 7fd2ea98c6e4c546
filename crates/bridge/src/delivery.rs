//! One issue on its way into an outside tracker.

use std::time::Duration;

/// Two looks that found nothing are so far apart before a create goes out again. A tracker may show what it was sent a
/// while later only.
pub const APART: Duration = Duration::from_secs(60);
/// A request is given up after so long. One of an earlier run of the hub may be under way for as long, too.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// What a tracker refused is offered again after so long: somebody may have changed its settings.
pub const REFUSED_FOR: Duration = Duration::from_hours(1);

/// Whether an issue is in the outside tracker, as far as the hub knows. It is kept durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filing {
    /// Nothing was sent, or it is known that nothing came of it.
    Waits,
    /// It was sent, or was just about to be: nobody knows whether it arrived.
    Sent,
    /// It is there, under this number.
    Filed(u64),
    /// The tracker will not have it, and said this.
    Refused(String),
}

/// What is to be done about an issue now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look for its mark.
    Look,
    /// Create it. [`Delivery::filing`] was kept durably before.
    Create,
    /// Nothing, for so long.
    Pause(Duration),
    /// Nothing any more.
    Nothing,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// These carry its mark.
    Found(Vec<u64>),
    /// It was created under this number.
    Created(u64),
    /// The tracker will not have it, and nothing was created.
    Refused(String),
    /// No answer, or one that tells nothing.
    Unclear,
}

/// One issue on its way. Moments are of a clock that never goes back; they begin anew with each run of the hub, so that the
/// date of its machine does not matter.
#[derive(Clone, Debug)]
pub struct Delivery {
    filing: Filing,
    /// A create goes out next.
    is_due: bool,
    /// Nothing is done before.
    quiet_until: Duration,
    /// When a look first found nothing since the last create.
    absent_since: Option<Duration>,
}

impl Delivery {
    /// Goes on with what was kept of an issue, in a run of the hub that begins with it.
    #[must_use]
    pub fn new(filing: Filing, now: Duration) -> Self {
        // What an earlier run sent may still be on its way.
        let quiet_until = if filing == Filing::Sent { now + DEADLINE } else { now };
        Self { filing, is_due: false, quiet_until, absent_since: None }
    }

    /// What is to be kept, before anything else is done about the issue.
    #[must_use]
    pub fn filing(&self) -> &Filing {
        &self.filing
    }

    /// What is to be done now.
    #[must_use]
    pub fn next(&self, now: Duration) -> Next {
        match &self.filing {
            Filing::Filed(_) => Next::Nothing,
            Filing::Sent if self.is_due => Next::Create,
            _ => {
                let again = self.absent_since.map_or(Duration::ZERO, |since| since + APART);
                let quiet = self.quiet_until.max(again).saturating_sub(now);
                if quiet.is_zero() { Next::Look } else { Next::Pause(quiet) }
            }
        }
    }

    /// Hears what came of it. `pause`: how long nothing is done where it was unclear.
    pub fn hears(&mut self, heard: Heard, now: Duration, pause: Duration) {
        let was_created = std::mem::take(&mut self.is_due);
        match heard {
            Heard::Found(numbers) => match (numbers.into_iter().min(), &self.filing) {
                (Some(first), _) => self.filing = Filing::Filed(first),
                (None, Filing::Sent) if self.absent_since.is_none() => self.absent_since = Some(now),
                (None, _) => {
                    (self.filing, self.is_due, self.absent_since) = (Filing::Sent, true, None);
                }
            },
            Heard::Created(number) => self.filing = Filing::Filed(number),
            Heard::Refused(why) if was_created => {
                self.filing = Filing::Refused(why);
                self.quiet_until = now + REFUSED_FOR;
            }
            Heard::Refused(_) | Heard::Unclear => self.quiet_until = now + pause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(5);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn absent() -> Heard {
        Heard::Found(Vec::new())
    }

    #[test]
    fn an_issue_is_looked_for_then_kept_as_sent_then_created_and_linked() {
        let mut delivery = Delivery::new(Filing::Waits, at(0));
        assert_eq!(delivery.next(at(0)), Next::Look);
        delivery.hears(absent(), at(1), PAUSE);
        assert_eq!((delivery.filing(), delivery.next(at(1))), (&Filing::Sent, Next::Create));
        delivery.hears(Heard::Created(7), at(2), PAUSE);
        assert_eq!((delivery.filing(), delivery.next(at(2))), (&Filing::Filed(7), Next::Nothing));
    }

    #[test]
    fn what_is_there_already_is_linked_and_not_created() {
        let mut delivery = Delivery::new(Filing::Waits, at(0));
        delivery.hears(Heard::Found(vec![9, 4]), at(1), PAUSE);
        assert_eq!(delivery.filing(), &Filing::Filed(4));
    }

    #[test]
    fn after_a_create_without_an_answer_it_is_only_looked_for_until_two_looks_a_minute_apart_find_nothing() {
        let mut delivery = Delivery::new(Filing::Waits, at(0));
        delivery.hears(absent(), at(1), PAUSE);
        delivery.hears(Heard::Unclear, at(31), PAUSE);
        assert_eq!(delivery.next(at(31)), Next::Pause(PAUSE));
        assert_eq!(delivery.next(at(36)), Next::Look);
        delivery.hears(absent(), at(36), PAUSE);
        assert_eq!(delivery.next(at(40)), Next::Pause(at(56)));
        assert_eq!(delivery.next(at(96)), Next::Look);
        // A look that broke counts for nothing.
        delivery.hears(Heard::Unclear, at(97), PAUSE);
        assert_eq!(delivery.next(at(102)), Next::Look);
        delivery.hears(absent(), at(102), PAUSE);
        assert_eq!(delivery.next(at(102)), Next::Create);
        // The second create begins the same all over.
        delivery.hears(Heard::Unclear, at(132), PAUSE);
        delivery.hears(absent(), at(140), PAUSE);
        assert_eq!(delivery.next(at(140)), Next::Pause(APART));
    }

    #[test]
    fn what_an_earlier_run_sent_is_waited_for_and_never_sent_again_at_once() {
        let mut delivery = Delivery::new(Filing::Sent, at(100));
        assert_eq!(delivery.next(at(100)), Next::Pause(DEADLINE));
        assert_eq!(delivery.next(at(130)), Next::Look);
        delivery.hears(absent(), at(130), PAUSE);
        assert_eq!(delivery.next(at(130)), Next::Pause(APART));
        delivery.hears(Heard::Found(vec![3]), at(190), PAUSE);
        assert_eq!(delivery.filing(), &Filing::Filed(3));
    }

    #[test]
    fn what_is_refused_is_offered_again_an_hour_later() {
        let mut delivery = Delivery::new(Filing::Waits, at(0));
        delivery.hears(absent(), at(0), PAUSE);
        delivery.hears(Heard::Refused("Subject is too long".into()), at(1), PAUSE);
        assert_eq!(delivery.filing(), &Filing::Refused("Subject is too long".into()));
        assert_eq!(delivery.next(at(1)), Next::Pause(REFUSED_FOR));
        delivery.hears(absent(), at(3_601), PAUSE);
        assert_eq!(delivery.next(at(3_601)), Next::Create);
    }
}
