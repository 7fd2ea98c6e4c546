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
}

/// An issue of the outside tracker that is to be closed, since an earlier one stands for the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twin {
    pub number: u64,
    pub of: u64,
}

/// Which number stands for each issue there: its lowest. And which others are still open.
#[must_use]
pub fn twins(marked: &[Marked]) -> (BTreeMap<IssueId, u64>, Vec<Twin>) {
    let mut stands = BTreeMap::new();
    for found in marked {
        let first = stands.entry(found.issue).or_insert(found.number);
        *first = found.number.min(*first);
    }
    let others = marked.iter().filter(|found| !found.is_closed && stands[&found.issue] != found.number);
    let others = others.map(|found| Twin { number: found.number, of: stands[&found.issue] }).collect();
    (stands, others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_lowest_number_stands_and_open_ones_above_it_are_closed() {
        let issue = |number| IssueId(Uuid::from_u128(number));
        let marked = |number, of, is_closed| Marked { issue: issue(of), number, is_closed };
        let found = [
            marked(5, 1, false),
            marked(3, 1, true),
            marked(9, 1, false),
            marked(7, 1, true),
            marked(4, 2, false),
        ];
        let (stands, others) = twins(&found);
        assert_eq!(stands, [(issue(1), 3), (issue(2), 4)].into());
        assert_eq!(others, [Twin { number: 5, of: 3 }, Twin { number: 9, of: 3 }]);
    }
}
