//! Issues that an outside tracker has twice.

use standpipe_domain::ids::IssueId;
use std::collections::BTreeMap;

/// An issue of the outside tracker that carries a mark of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The hub's issue that the mark names.
    pub issue: IssueId,
    /// Its number there.
    pub number: u64,
    pub is_closed: bool,
    /// Who created it there.
    pub author: u64,
}

/// An issue of the outside tracker that is to be closed, since an earlier one stands for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin {
    pub number: u64,
    pub of: u64,
}

/// Which number stands for each issue there: the lowest that is open, or the lowest. And which others are open and by the same
/// author: what somebody else made there with the same mark, by copying say, is theirs.
#[must_use]
pub fn twins(marked: &[Marked]) -> (BTreeMap<IssueId, u64>, Vec<Twin>) {
    let mut stands: BTreeMap<IssueId, &Marked> = BTreeMap::new();
    for found in marked {
        let first = stands.entry(found.issue).or_insert(found);
        if (found.is_closed, found.number) < (first.is_closed, first.number) {
            *first = found;
        }
    }
    let mut others = Vec::new();
    for found in marked.iter().filter(|found| !found.is_closed) {
        let first = stands[&found.issue];
        if first.number != found.number && first.author == found.author {
            others.push(Twin { number: found.number, of: first.number });
        }
    }
    (stands.into_iter().map(|(issue, first)| (issue, first.number)).collect(), others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_lowest_open_one_stands_and_open_ones_above_it_are_closed() {
        let issue = |number| IssueId(Uuid::from_u128(number));
        let marked = |number, of, is_closed| Marked { issue: issue(of), number, is_closed, author: 1 };
        let found = [
            marked(5, 1, false),
            marked(3, 1, true),
            marked(9, 1, false),
            marked(7, 1, true),
            marked(4, 2, false),
            Marked { author: 2, ..marked(8, 2, false) },
            marked(6, 3, true),
        ];
        let (stands, others) = twins(&found);
        assert_eq!(stands, [(issue(1), 5), (issue(2), 4), (issue(3), 6)].into());
        assert_eq!(others, [Twin { number: 9, of: 5 }]);
    }
}
