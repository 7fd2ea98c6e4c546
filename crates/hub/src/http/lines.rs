//! The lines for news that are open, and how many anybody may have.
//!
//! A line takes a connection for as long as it lasts, and one whose other end has gone is noticed late only: a tablet that
//! walks in and out of a network leaves some behind. So nobody is refused another line: the oldest ends.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use uuid::Uuid;

/// The most lines of one tablet, or of one person on all of their pages.
const MOST: usize = 16;

/// The open lines of each tablet and each person.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<HashMap<Uuid, VecDeque<oneshot::Sender<()>>>>>);

/// One line, until dropped. Ends where its turn has come.
pub struct Line(oneshot::Receiver<()>);

impl Lines {
    /// Opens another line of this reader. Its oldest ends where it has too many.
    pub fn open(&self, reader: Uuid) -> Line {
        let (end, line) = oneshot::channel();
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, open| {
            open.retain(|end| !end.is_closed());
            !open.is_empty()
        });
        let open = lines.entry(reader).or_default();
        if open.len() >= MOST {
            open.pop_front();
        }
        open.push_back(end);
        Line(line)
    }

    /// Ends all lines of this reader, who may not listen any more.
    pub fn end(&self, reader: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&reader);
    }
}

impl Line {
    /// Returns once the line must end.
    pub async fn ends(&mut self) {
        // Nothing is ever sent: the other half is dropped.
        let _ = (&mut self.0).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn the_oldest_line_ends_for_one_too_many_and_what_was_left_counts_no_more() {
        let lines = Lines::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut another = lines.open(other);
        let mut open: Vec<Line> = (0..MOST).map(|_| lines.open(one)).collect();
        let ended = |open: &mut [Line]| -> Vec<usize> {
            (0..open.len()).filter(|at| open[*at].ends().now_or_never().is_some()).collect()
        };
        assert!(ended(&mut open).is_empty());
        // Two were left: there is room for two.
        open.truncate(MOST - 2);
        open.extend([lines.open(one), lines.open(one)]);
        assert!(ended(&mut open).is_empty());
        open.push(lines.open(one));
        assert_eq!(ended(&mut open), [0]);
        assert_eq!(another.ends().now_or_never(), None);
    }
}
