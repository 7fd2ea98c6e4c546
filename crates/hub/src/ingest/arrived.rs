//! A line of a push that is new here.

use serde::Deserialize;
use standpipe_domain::ids::Sha256;
use standpipe_oplog::chain::link;
use standpipe_oplog::wire::{Line, PushHead};
use uuid::Uuid;

/// A line that is new here.
pub(super) struct Arrived {
    pub dev_seq: u64,
    pub read: Line,
}

/// What can be told of any line, also of one that is no operation.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Stub {
    pub op_id: Option<Uuid>,
    pub tx: Option<Uuid>,
    pub entity: String,
    pub field: Option<String>,
}

impl Arrived {
    pub(super) fn body(&self) -> &str {
        match &self.read {
            Ok(written) => &written.body,
            Err((text, _)) => text,
        }
    }

    pub(super) fn stub(&self) -> Stub {
        match &self.read {
            Ok(written) => Stub {
                op_id: Some(written.op.op_id),
                tx: Some(written.op.tx),
                entity: written.op.entity.clone(),
                field: written.op.field.clone(),
            },
            Err((text, _)) => serde_json::from_str(text).unwrap_or_default(),
        }
    }
}

/// The hash of each line, as the chain has it.
pub(super) fn hashes(head: &PushHead, lines: &[Line]) -> Vec<Sha256> {
    let mut prev = head.prev_hash;
    let next = |line: &Line| {
        prev = match line {
            Ok(written) => written.hash,
            Err((text, _)) => link(prev, text),
        };
        prev
    };
    lines.iter().map(next).collect()
}
