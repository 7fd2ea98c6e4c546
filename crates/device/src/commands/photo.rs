//! Photos and clips: their bytes come in pieces, and are attached once they are all on disk.

use super::finding::{begin, has_failed};
use super::{checklist_of, json, must_be_allowed, must_be_open, take_out};
use crate::engine::Engine;
use crate::error::Error;
use crate::media::{MediaKind, sniff};
use crate::store::blobs::{self, Own};
use crate::store::{Writing, query};
use crate::vault::{Arrived, Incoming};
use rusqlite::Connection;
use standpipe_domain::answer::Refusal;
use standpipe_domain::evidence::{Evidence, EvidenceView};
use standpipe_domain::ids::{CheckId, Sha256};
use standpipe_domain::permission::{Act, PROVE};
use standpipe_domain::record::{entity, set};
use standpipe_domain::tablet::{AttachTo, CheckView, NewFile};
use standpipe_oplog::pen::Draft;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// The longest name of a file that is kept, in characters.
const NAME: usize = 200;

/// Files that are coming in, by the name of their upload. What is under way when the app ends is swept away: nobody
/// was told that it was saved.
#[derive(Default)]
pub struct Incomings(Mutex<HashMap<String, Arc<Mutex<Option<Coming>>>>>);

struct Coming {
    incoming: Incoming,
    file: NewFile,
}

impl Incomings {
    fn put(&self, upload: String, coming: Coming) {
        let slot = Arc::new(Mutex::new(Some(coming)));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(upload, slot);
    }

    fn get(&self, upload: &str) -> Result<Arc<Mutex<Option<Coming>>>, Error> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(upload).cloned().ok_or(Error::UnknownUpload)
    }

    fn take(&self, upload: &str) -> Option<Coming> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(upload)?;
        slot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Engine {
    /// Begins to bring a file in; gives the name of the upload.
    ///
    /// # Errors
    /// `no-room`, `empty-file`, `not-allowed`, `unknown`, `sealed`: before a byte was copied.
    pub fn attach_begin(&self, file: NewFile) -> Result<String, Error> {
        self.store.read("looking where a photo belongs", |conn| must_take(conn, &file.to))?;
        let name = self.store.world().uuid();
        let incoming = self.store.vault().begin(name, file.bytes, self.store.world())?;
        self.incomings.put(name.to_string(), Coming { incoming, file });
        Ok(name.to_string())
    }

    /// Takes the next bytes; gives how many have come so far. After an error nothing of the file remains.
    pub fn attach_chunk(&self, upload: &str, chunk: &[u8]) -> Result<u64, Error> {
        let slot = self.incomings.get(upload)?;
        let written = match slot.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(coming) => coming.incoming.write(chunk),
            None => return Err(Error::UnknownUpload),
        };
        if written.is_err() {
            self.attach_cancel(upload);
        }
        Ok(written?)
    }

    /// Gives up; nothing of the file remains.
    pub fn attach_cancel(&self, upload: &str) {
        drop(self.incomings.take(upload));
    }

    /// Attaches the file, whatever a pull has brought since it was begun. When this returns, its bytes are on disk under their
    /// hash, and the record is committed.
    pub fn attach_end(&self, upload: &str) -> Result<EvidenceView, Error> {
        let Coming { incoming, file } = self.incomings.take(upload).ok_or(Error::UnknownUpload)?;
        let arrived = self.store.vault().finish(incoming)?;
        let evidence = self.record("attaching a photo", |writing| attach(writing, &arrived, file))?;
        self.store.photo_came();
        Ok(self.store.read("reading a photo", |conn| query::evidence_view(conn, evidence))?)
    }

    /// Takes a photo off an item. The office keeps what it has.
    pub fn detach(&self, check: CheckId, item: &str, sha256: Sha256) -> Result<CheckView, Error> {
        self.record("taking a photo off", |writing| {
            must_be_allowed(writing, &[Act::Record])?;
            checklist_of(writing, check)?;
            must_be_open(writing, check)?;
            let mut held = query::evidence_of(writing, check)?;
            held.retain(|held| held.item() == Some(item) && held.evidence.sha256 == sha256);
            if held.is_empty() {
                return Err(Error::UnknownPhoto);
            }
            // Before the item failed a photo went to the check, after it to the finding: it may be at both.
            for (name, record) in [(entity::CHECK, check.0), (entity::FINDING, finding_of(check, item))] {
                let saw: Vec<Uuid> =
                    held.iter().filter(|held| held.record == record).map(|held| held.rev).collect();
                if !saw.is_empty() {
                    take_out(writing, name, record, set::PHOTOS, saw)?;
                }
            }
            Ok(())
        })?;
        self.check(check)
    }
}

fn finding_of(check: CheckId, item: &str) -> Uuid {
    standpipe_domain::record::finding_id(check, item).0
}

fn attach(writing: &mut Writing<'_>, arrived: &Arrived, file: NewFile) -> Result<Evidence, Error> {
    let (name, record, field, item) = place(writing, file.to)?;
    let kind = sniff(&arrived.head);
    let (sha256, bytes, media_type) = (arrived.sha256, arrived.bytes, kind.media_type());
    let own = Own { sha256, bytes, media_type, preview: preview_of(kind) };
    let evidence = Evidence {
        sha256,
        media_type: media_type.to_owned(),
        bytes,
        name: file.name.chars().take(NAME).collect(),
        item,
        at: writing.now(),
    };
    let held = query::members_of(writing, name, record, field)?;
    // The same photo added twice to the same place is there once.
    if let Some(known) = held
        .into_iter()
        .find(|held| held.evidence.sha256 == evidence.sha256 && held.evidence.item == evidence.item)
    {
        // It may have been known from a colleague so far, without its bytes being here.
        blobs::put_own(writing, &own, known.rev)?;
        return Ok(known.evidence);
    }
    let op_id = writing.record(Draft::add(name, record, field, json(&evidence)?))?;
    blobs::put_own(writing, &own, op_id)?;
    Ok(evidence)
}

/// Whether a photo may be added there. Asked before it comes in and not again: a seal or a change of roles that is pulled
/// meanwhile must not cost a photo that somebody has taken. What becomes of it then the hub says, as of any late record.
fn must_take(conn: &Connection, to: &AttachTo) -> Result<(), Error> {
    match to {
        AttachTo::Issue { issue } => {
            must_be_allowed(conn, &PROVE)?;
            query::issue_row(conn, *issue)?.ok_or(Error::Unknown { what: "issue", id: issue.0 })?;
            Ok(())
        }
        AttachTo::Item { check, item } => {
            must_be_allowed(conn, &[Act::Record])?;
            if checklist_of(conn, *check)?.item(item).is_none() {
                return Err(Refusal::UnknownItem { item: item.clone() }.into());
            }
            // What was amended to fail is a finding, and wants its proof.
            if query::was_amended_to_fail(conn, *check, item)? { Ok(()) } else { must_be_open(conn, *check) }
        }
    }
}

/// What the photo is to be attached to: entity, record, field, item.
fn place(
    writing: &mut Writing<'_>,
    to: AttachTo,
) -> Result<(&'static str, Uuid, &'static str, Option<String>), Error> {
    match to {
        AttachTo::Issue { issue } => Ok((entity::ISSUE, issue.0, set::PROOF, None)),
        AttachTo::Item { check, item } => {
            if query::was_amended_to_fail(writing, check, &item)? || has_failed(writing, check, &item)? {
                let finding = begin(writing, check, &item)?;
                return Ok((entity::FINDING, finding.0, set::PHOTOS, Some(item)));
            }
            Ok((entity::CHECK, check.0, set::PHOTOS, Some(item)))
        }
    }
}

/// What will become of the preview, as far as the kind tells.
fn preview_of(kind: MediaKind) -> (&'static str, Option<&'static str>) {
    match kind {
        MediaKind::Photo(_) => ("pending", None),
        MediaKind::Clip(_) => ("clip", None),
        MediaKind::Other => ("none", Some("not-a-picture")),
    }
}
