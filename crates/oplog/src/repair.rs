//! Finds where the two ends of a scope differ, by asking for sums at a few places, then at places between those. What
//! differs is fetched; the rest need not cross the wire.

use crate::checksum::Checksum;

/// Operations so close together are fetched rather than told apart further.
const LEAF: u64 = 500;
/// Into so many parts a span that differs is divided.
const PARTS: u64 = 16;
/// The most spans that one question is about.
const AT_ONCE: usize = 256;

/// The operations numbered behind `after`, up to `upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub after: u64,
    pub upto: u64,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask for the sums up to these numbers, and look up one's own.
    Ask(Vec<u64>),
    /// Fetch these spans, and take what the hub has there in place of what is here. Then both hold the same up to `upto`.
    Fetch { spans: Vec<Span>, upto: u64 },
}

/// A search under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    cursor: u64,
    upto: Option<u64>,
    asked: Vec<Span>,
    waiting: Vec<Span>,
    found: Vec<Span>,
}

impl Repair {
    /// Begins, with the tablet's cursor.
    pub fn begin(cursor: u64) -> (Self, Effect) {
        let whole = Span { after: 0, upto: cursor };
        let this = Self { cursor, upto: None, asked: vec![whole], waiting: Vec::new(), found: Vec::new() };
        (this, Effect::Ask(vec![0, cursor]))
    }

    /// The sums at the places that were asked for came: the hub's, whose last operation is `head`, and one's own.
    pub fn step(&mut self, head: u64, theirs: &[Checksum], ours: &[Checksum]) -> Effect {
        let between = |sums: &[Checksum], at: usize| match (sums.get(2 * at), sums.get(2 * at + 1)) {
            (Some(after), Some(upto)) => upto.0.wrapping_sub(after.0),
            // A hub that leaves something out has not shown that it is the same.
            _ => u64::MAX,
        };
        let is_first = self.upto.is_none();
        let upto = *self.upto.get_or_insert(head);
        for (at, span) in std::mem::take(&mut self.asked).into_iter().enumerate() {
            if theirs.len() == ours.len() && between(theirs, at) == between(ours, at) {
                continue;
            }
            if is_first {
                // What one end has behind the other's last belongs to it.
                self.divide(Span { after: 0, upto: self.cursor.max(head) });
            } else if span.upto - span.after <= LEAF {
                self.found.push(span);
            } else {
                self.divide(span);
            }
        }
        let next = self.waiting.len().min(AT_ONCE);
        self.asked = self.waiting.drain(..next).collect();
        if self.asked.is_empty() {
            return Effect::Fetch { spans: std::mem::take(&mut self.found), upto };
        }
        Effect::Ask(self.asked.iter().flat_map(|span| [span.after, span.upto]).collect())
    }

    fn divide(&mut self, span: Span) {
        let size = (span.upto - span.after).div_ceil(PARTS).max(LEAF.min(span.upto - span.after)).max(1);
        let mut after = span.after;
        while after < span.upto {
            let upto = (after + size).min(span.upto);
            self.waiting.push(Span { after, upto });
            after = upto;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums of a log whose operations count what stands in `ops`.
    fn sum(ops: &[u64], upto: u64) -> Checksum {
        ops.iter().take(usize::try_from(upto).unwrap()).map(|op| Checksum(*op)).sum()
    }

    /// Searches to the end. Gives the spans, and how many questions that took.
    fn search(theirs: &[u64], ours: &[u64]) -> (Vec<Span>, u64, u32) {
        let (mut repair, mut effect) = Repair::begin(ours.len() as u64);
        let mut questions = 0;
        loop {
            match effect {
                Effect::Ask(points) => {
                    questions += 1;
                    let at = |ops: &[u64]| points.iter().map(|point| sum(ops, *point)).collect::<Vec<_>>();
                    effect = repair.step(theirs.len() as u64, &at(theirs), &at(ours));
                }
                Effect::Fetch { spans, upto } => return (spans, upto, questions),
            }
        }
    }

    #[test]
    fn one_operation_among_many_is_found_with_few_questions() {
        let theirs: Vec<u64> = (1..=100_000).collect();
        let mut ours = theirs.clone();
        ours[77_777] = 5;
        let (spans, upto, questions) = search(&theirs, &ours);
        assert_eq!(upto, 100_000);
        assert_eq!(spans.len(), 1);
        assert!(spans[0].after <= 77_777 && 77_777 < spans[0].upto && spans[0].upto - spans[0].after <= LEAF);
        assert!(questions <= 4, "{questions}");
    }

    #[test]
    fn what_a_restored_hub_lost_and_wrote_since_is_found() {
        let ours: Vec<u64> = (1..=10_000).collect();
        let mut theirs = ours[..6_000].to_vec();
        theirs.extend(20_000..20_100);
        let (spans, upto, _) = search(&theirs, &ours);
        assert_eq!(upto, 6_100);
        assert!(spans.iter().all(|span| span.upto > 5_400), "{spans:?}");
        assert_eq!(spans.last().unwrap().upto, 10_000, "also what only this end has");
    }

    #[test]
    fn the_same_up_to_the_cursor_needs_nothing() {
        let all: Vec<u64> = (1..=900).collect();
        assert_eq!(search(&all, &all), (vec![], 900, 1));
        assert_eq!(search(&all, &all[..400]), (vec![], 900, 1), "what is new comes with the next pull");
    }

    #[test]
    fn an_empty_hub_differs_everywhere() {
        let ours: Vec<u64> = (1..=1_200).collect();
        let (spans, upto, _) = search(&[], &ours);
        assert_eq!((upto, spans.first().unwrap().after, spans.last().unwrap().upto), (0, 0, 1_200));
    }
}
