//! The example of `docs/sync.md`, by which somebody tells whether their own client computes the same, is what this one does.

use standpipe_domain::ids::{CheckId, Millis};
use standpipe_domain::record::{finding_id, issue_id};
use standpipe_oplog::canonical;
use standpipe_oplog::chain::{START, Written};
use standpipe_oplog::checksum::Checksum;

const DOCUMENT: &str = include_str!("../../../docs/sync.md");

/// When the hub of the example received both.
const RECEIVED: Millis = Millis(1_688_176_900_000);

#[test]
fn the_example_of_the_chain_and_the_sums_is_right() {
    assert!(DOCUMENT.contains(&format!("received at `{}`", RECEIVED.0)));
    let bodies: Vec<&str> = DOCUMENT.lines().filter(|line| line.starts_with(r#"{"actor""#)).collect();
    assert_eq!(bodies.len(), 2);
    let (mut prev, mut sum) = (START, Checksum::default());
    for (body, place) in bodies.iter().zip(1..) {
        let written = Written::read(body, prev).unwrap();
        assert_eq!(canonical::bytes(&written.op).unwrap(), body.as_bytes(), "it is canonical");
        assert_eq!(written.op.dev_seq, place);
        let finding = finding_id(CheckId(written.op.id), "static-pressure");
        let ids = format!("`{finding}` and `{}`", issue_id(finding));
        // Wherever a line of it ends.
        let text = DOCUMENT.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&ids), "the document lacks {ids}");
        let counts = Checksum::of(written.op.op_id, RECEIVED, body);
        (prev, sum) = (written.hash, sum + counts);
        let row = format!("| {place} | {} | `{prev}` | `{:016x}` | `{:016x}` |", body.len(), counts.0, sum.0);
        assert!(DOCUMENT.lines().any(|line| line == row), "the document lacks {row}");
    }
}
