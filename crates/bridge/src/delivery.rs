//! One issue on its way into an outside tracker.

use std::time::Duration;

/// Two looks that found nothing are so far apart before a create goes out again. A tracker may show what it was sent a
/// while later only.
pub const APART: Duration = Duration::from_secs(60);
/// A request is given up after so long. One of an earlier run of the hub may be under way for as long, too.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// What a tracker refused is offered again after so long: somebody may have changed its settings.
pub const REFUSED_FOR: Duration = Duration::from_hours(1);
/// A create goes out so soon behind the look that found nothing, or not without another look.
const FRESH: Duration = Duration::from_secs(10);
/// At how many creates the tracker may fail before others go first. It may be this issue alone that it fails at.
const STRIKES: usize = 3;

/// Whether an issue is in the outside tracker, as far as the hub knows. It is kept durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filing {
    /// Nothing was sent, or it is known that nothing came of it.
    Waits,
    /// It was sent, or was just about to be: nobody knows whether it arrived.
    Sent,
    /// It is there, under this number.
    Filed(u64),
    /// It was there under this number, and somebody deleted it there. It is not created again by itself.
    Gone(u64),
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
    /// Nothing was created, for a reason that has nothing to do with this issue.
    Turned,
    /// The tracker failed at it, and this is what it said. It may have been created.
    Failed(String),
    /// No answer, or one that tells nothing.
    Unclear,
}

/// One issue on its way. Moments are of a clock that never goes back; they begin anew with each run of the hub, so that the
/// date of its machine does not matter.
#[derive(Clone, Debug)]
pub struct Delivery {
    filing: Filing,
    /// Since when a create is to go out next.
    due_since: Option<Duration>,
    /// What the tracker said at each create at which it failed.
    strikes: Vec<String>,
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
        Self { filing, due_since: None, strikes: Vec::new(), quiet_until, absent_since: None }
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
            Filing::Filed(_) | Filing::Gone(_) => Next::Nothing,
            Filing::Sent if self.due_since.is_some_and(|since| now < since + FRESH) => Next::Create,
            _ => {
                let again = self.absent_since.map_or(Duration::ZERO, |since| since + APART);
                let quiet = self.quiet_until.max(again).saturating_sub(now);
                if quiet.is_zero() { Next::Look } else { Next::Pause(quiet) }
            }
        }
    }

    /// Hears what came of it. `pause`: how long nothing is done where it was unclear.
    pub fn hears(&mut self, heard: Heard, now: Duration, pause: Duration) {
        let was_created = self.due_since.take().is_some();
        match heard {
            Heard::Found(numbers) => match (numbers.into_iter().min(), &self.filing) {
                (Some(first), _) => self.filing = Filing::Filed(first),
                (None, Filing::Sent) if self.absent_since.is_none() => self.absent_since = Some(now),
                (None, _) if self.strikes.len() >= STRIKES => {
                    self.filing = Filing::Refused(self.strikes.pop().unwrap_or_default());
                    (self.strikes, self.absent_since) = (Vec::new(), None);
                    self.quiet_until = now + REFUSED_FOR;
                }
                (None, _) => {
                    (self.filing, self.due_since, self.absent_since) = (Filing::Sent, Some(now), None);
                }
            },
            Heard::Created(number) => self.filing = Filing::Filed(number),
            Heard::Refused(why) if was_created => {
                self.filing = Filing::Refused(why);
                self.quiet_until = now + REFUSED_FOR;
            }
            Heard::Turned if was_created => {
                self.filing = Filing::Waits;
                self.quiet_until = now + pause;
            }
            Heard::Failed(why) if was_created => {
                self.strikes.push(why);
                self.quiet_until = now + pause;
            }
            Heard::Refused(_) | Heard::Turned | Heard::Failed(_) | Heard::Unclear => {
                self.quiet_until = now + pause;
            }
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
    fn what_somebody_deleted_there_is_left_alone() {
        assert_eq!(Delivery::new(Filing::Gone(7), at(0)).next(at(10_000)), Next::Nothing);
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
    fn a_create_that_was_put_off_is_preceded_by_another_look() {
        let mut delivery = Delivery::new(Filing::Waits, at(0));
        delivery.hears(absent(), at(1), PAUSE);
        assert_eq!(delivery.next(at(10)), Next::Create);
        assert_eq!(delivery.next(at(11)), Next::Look);
        delivery.hears(Heard::Found(vec![3]), at(11), PAUSE);
        assert_eq!(delivery.filing(), &Filing::Filed(3));
    }

    #[test]
    fn an_issue_at_which_the_tracker_fails_again_and_again_gives_way() {
        let mut delivery = Delivery::new(Filing::Waits, at(0));
        let mut now = 0;
        let mut creates = 0;
        // It may have come all the same: so it is looked for as ever behind the third.
        while *delivery.filing() != Filing::Refused("HTTP 500".into()) {
            match delivery.next(at(now)) {
                Next::Look => delivery.hears(absent(), at(now), PAUSE),
                Next::Create => {
                    creates += 1;
                    delivery.hears(Heard::Failed("HTTP 500".into()), at(now), PAUSE);
                }
                Next::Pause(_) => now += 1,
                Next::Nothing => panic!("it is not there"),
            }
        }
        assert_eq!((creates, now), (3, 3 * (5 + 60)));
        assert_eq!(delivery.next(at(now)), Next::Pause(REFUSED_FOR));
    }

    #[test]
    fn what_was_turned_away_for_the_key_waits_and_is_no_riddle() {
        let mut delivery = Delivery::new(Filing::Waits, at(0));
        delivery.hears(absent(), at(0), PAUSE);
        delivery.hears(Heard::Turned, at(1), PAUSE);
        assert_eq!((delivery.filing(), delivery.next(at(1))), (&Filing::Waits, Next::Pause(PAUSE)));
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
