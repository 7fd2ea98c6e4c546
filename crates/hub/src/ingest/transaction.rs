//! The operations of one transaction: applied together, or set aside together.

use super::Intake;
use super::arrived::Arrived;
use crate::judge::{Refusal, Seen, judge};
use crate::store::{Quarantine, StoreError, enter, project};
use serde_json::Value;
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::{entity, set};
use standpipe_oplog::chain::Written;
use standpipe_oplog::clock::Hlc;
use standpipe_oplog::op::Kind;
use standpipe_oplog::replica::Touched;
use standpipe_oplog::wire::MAX_OP;
use std::collections::{BTreeSet, HashSet};
use uuid::Uuid;

/// See [`depth`].
const DEEPEST: usize = 64;
/// The most bytes of a field's name: fields are found by it, and no index of PostgreSQL takes one of a few thousand.
const LONGEST: usize = 1_024;

/// What is to be done with a line.
pub(super) enum Fate<'l> {
    /// Applied, if the whole transaction may be.
    Fresh(&'l Written),
    /// Nothing: the log holds it. A tablet that was restored, or a hub that was, makes a tablet offer it again.
    Double,
    Refused(Refusal),
}

/// Why a transaction is set aside, and the operation that is to blame; `None` for one of an earlier push, or where nobody
/// can tell.
pub(super) struct Blame {
    pub dev_seq: Option<u64>,
    pub refusal: Refusal,
}

impl Intake<'_> {
    /// Applies the operations of one transaction, or sets all of them aside.
    pub(super) fn transaction(
        &mut self,
        tx: Option<Uuid>,
        lines: &[Arrived],
        touched: &mut BTreeSet<Touched>,
    ) -> Result<(), StoreError> {
        let mut blame = self.earlier(tx, lines)?;
        let mut news: Vec<&Arrived> = Vec::new();
        let mut fresh: Vec<&Written> = Vec::new();
        let mut ids = HashSet::new();
        for line in lines {
            let refusal = match self.look(line)? {
                Fate::Double => continue,
                Fate::Fresh(written) if ids.insert(written.op.op_id) => {
                    fresh.push(written);
                    None
                }
                Fate::Fresh(_) => {
                    Some(Refusal::new("op-id-taken", "another operation of this push has this id"))
                }
                Fate::Refused(refusal) => Some(refusal),
            };
            news.push(line);
            if let (None, Some(refusal)) = (&blame, refusal) {
                blame = Some(Blame { dev_seq: Some(line.dev_seq), refusal });
            }
        }
        if blame.is_none()
            && let Some((dev_seq, refusal)) = judge(self.ledger, &mut self.seen, self.device, &fresh)?
        {
            blame = Some(Blame { dev_seq: Some(dev_seq), refusal });
        }
        match blame {
            Some(blame) => news.into_iter().try_for_each(|line| self.set_aside(line, &blame)),
            None => self.apply(&fresh, touched),
        }
    }

    /// Whether an earlier push brought another part of this transaction, which was set aside. What comes again here, out of
    /// another of the tablet's lives, is judged again, and blames nothing.
    fn earlier(&mut self, tx: Option<Uuid>, lines: &[Arrived]) -> Result<Option<Blame>, StoreError> {
        let Some(tx) = tx else { return Ok(None) };
        if !self.any_aside()? {
            return Ok(None);
        }
        let set_aside = self.ledger.tx_set_aside(self.device.id, tx)?;
        if set_aside.is_empty() {
            return Ok(None);
        }
        let here: HashSet<Uuid> = lines.iter().filter_map(|line| line.stub().op_id).collect();
        let another =
            set_aside.into_iter().find(|(op_id, _)| op_id.is_none_or(|op_id| !here.contains(&op_id)));
        Ok(another.map(|(_, code)| {
            let refusal = Refusal { code, detail: "a part of its transaction was set aside before".into() };
            Blame { dev_seq: None, refusal }
        }))
    }

    /// What of a line can be judged without a look at the records.
    pub(super) fn look<'l>(&mut self, line: &'l Arrived) -> Result<Fate<'l>, StoreError> {
        let (head, device) = (self.head, self.device);
        let refuse = |code: &str, detail: &str| Ok(Fate::Refused(Refusal::new(code, detail)));
        if let Ok(written) = &line.read
            && let Some(known) = self.ledger.op(written.op.op_id)?
        {
            if known.same_work(&written.op) {
                return Ok(Fate::Double);
            }
            return refuse("op-id-taken", "another operation has this id");
        }
        if device.revoked {
            return refuse("revoked", "the tablet had been revoked when it sent this");
        }
        let written = match &line.read {
            Ok(written) => written,
            Err((_, error)) => return refuse("malformed", &error.to_string()),
        };
        let op = &written.op;
        if written.body.len() > MAX_OP {
            return refuse("too-large", &format!("an operation has at most {MAX_OP} bytes"));
        }
        if depth(&op.value) > DEEPEST {
            return refuse("malformed", &format!("a value is nested at most {DEEPEST} deep"));
        }
        let fields = op.value.as_object().filter(|_| op.field.is_none()).into_iter().flatten();
        if op.field.iter().chain(fields.map(|(field, _)| field)).any(|field| field.len() > LONGEST) {
            return refuse("malformed", &format!("the name of a field has at most {LONGEST} bytes"));
        }
        if op.device != device.id {
            return refuse("foreign-device", "the operation says that another tablet wrote it");
        }
        if (op.incarnation, op.dev_seq) != (head.incarnation, line.dev_seq) {
            return refuse("out-of-order", "the operation names another place in the tablet's chain");
        }
        if op.scope != device.site {
            return refuse("other-scope", "the tablet belongs to another site");
        }
        if op.actor != device.person {
            return refuse("foreign-actor", "the tablet is held by somebody else");
        }
        Ok(Fate::Fresh(written))
    }

    fn apply(&mut self, ops: &[&Written], touched: &mut BTreeSet<Touched>) -> Result<(), StoreError> {
        let mut changed = BTreeSet::new();
        for written in ops {
            changed.extend(enter(self.ledger, written, self.at)?);
            // The same work may have been set aside when another of the tablet's lives sent it.
            if self.any_aside()? {
                self.ledger.release(&written.op)?;
            }
            self.latest = self.latest.max(written.op.hlc.clamped(self.at));
        }
        if !changed.is_empty() {
            let may_wait = self.may_wait(ops)?;
            self.owing.extend(changed.iter().cloned());
            if !may_wait {
                self.show()?;
            }
            self.ledger.poke(self.device.site);
            touched.extend(changed);
        }
        Ok(())
    }

    /// Whether the rows that follow from these operations may be made later. Answers and photos change of a check that is
    /// there only how far it has got, and of its findings whether they are live: nothing that others are judged by.
    fn may_wait(&mut self, ops: &[&Written]) -> Result<bool, StoreError> {
        for Written { op, .. } in ops {
            let field = op.field.as_deref().unwrap_or_default();
            let is_answer = op.entity == entity::CHECK
                && matches!(op.kind, Kind::Set | Kind::Add)
                && (field == set::PHOTOS || field.starts_with(ANSWER));
            if !is_answer {
                return Ok(false);
            }
            let waits = self.owing.contains(&Touched::new(&op.entity, op.id));
            // One that was deleted is there again by being changed.
            if !waits && (self.ledger.has_tombstone(op.id)? || self.ledger.check(op.id)?.is_none()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the rows that are owing.
    fn show(&mut self) -> Result<(), StoreError> {
        self.seen = Seen::default();
        project(self.ledger, self.device.site, std::mem::take(&mut self.owing))
    }

    /// Writes what was put off while one transaction came after the other.
    pub(super) fn settle(&mut self) -> Result<(), StoreError> {
        if self.latest > Hlc::default() {
            self.ledger.keep_clock(self.latest)?;
        }
        self.show()
    }

    /// Whether anything is in quarantine. Mostly nothing is, and then no operation need be looked up there.
    fn any_aside(&mut self) -> Result<bool, StoreError> {
        let known = self.any_aside.map_or_else(|| self.ledger.any_aside(), Ok)?;
        self.any_aside = Some(known);
        Ok(known)
    }

    /// Keeps a line as it came, out of the log.
    pub(super) fn set_aside(&mut self, line: &Arrived, blame: &Blame) -> Result<(), StoreError> {
        let Blame { dev_seq: by, refusal } = blame;
        self.any_aside = Some(true);
        let detail = match by {
            Some(by) if *by != line.dev_seq => {
                format!("set aside together with operation {by} of its transaction: {}", refusal.detail)
            }
            _ => refusal.detail.clone(),
        };
        let (device, stub) = (self.device.id, line.stub());
        let (dev_seq, code) = (line.dev_seq, refusal.code.clone());
        tracing::warn!(%device, dev_seq, code, detail, "an operation was set aside");
        self.ledger.set_aside(&Quarantine {
            device,
            incarnation: self.head.incarnation,
            dev_seq,
            op_id: stub.op_id,
            tx: stub.tx,
            entity: stub.entity,
            field: stub.field,
            body: line.body().into(),
            code,
            detail,
            at: self.at,
        })
    }
}

/// How deep a value is nested. The registers hold it some levels deeper, and JSON that is deeper than 128 cannot be read.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
