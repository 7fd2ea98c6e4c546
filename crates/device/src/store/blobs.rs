//! Evidence as the database knows it: what is here, what goes up, what is to be fetched. The bytes are in the vault.

use super::fault::StoreError;
use super::seen::{self, IS_GONE, IS_UNASKED, SEEN};
use super::sql::Hash;
use super::{Store, Writing, backup, query, sql};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{Millis, Sha256};
use standpipe_domain::record::set;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use uuid::Uuid;

/// What a blob is to its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Original,
    Thumbnail,
}

/// Names one upload. A thumbnail has a hash of its own, and two photos may have the same thumbnail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UploadKey {
    /// The original's hash.
    pub of: Sha256,
    pub role: Role,
}

/// The next blob to go up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingUpload {
    pub key: UploadKey,
    /// The hash of the bytes that go up.
    pub sha256: Sha256,
    pub bytes: u64,
    /// Where the bytes are.
    pub path: PathBuf,
    /// Whether the hub made a place for it before, or once had it: it is asked before bytes are sent.
    pub created: bool,
    pub upload_url: Option<String>,
}

/// What waits for the office.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Records that the hub has not acknowledged.
    pub records: u32,
    /// Photos and clips that the hub has not verified. Those that are lost, and that somebody has seen to, are not counted.
    pub photos: u32,
    /// Bytes of those that have not arrived.
    pub bytes: u64,
    /// Of the photos and clips those that go up by themselves, and the bytes of them that have not arrived.
    pub ready: (u32, u64),
    /// Of them those whose file on this tablet is gone or spoilt, and their bytes: nothing of these is safe here.
    pub gone: (u32, u64),
    /// Records and photos that were set aside, and that nobody has seen to.
    pub set_aside: u32,
    /// Of what somebody has seen to, what is not at the office.
    pub not_there: u32,
}

impl Store {
    /// The next blob to go up: all thumbnails before the first original, each only after the operation that mentions
    /// it is at the hub. What was set aside is passed over, and so is an original whose thumbnail is still being made.
    pub fn next_upload(&self) -> Result<Option<PendingUpload>, StoreError> {
        self.read("looking for the next photo to send", |conn| {
            match self.first_upload(conn, Role::Thumbnail, None)? {
                Some(next) => Ok(Some(next)),
                None => self.first_upload(conn, Role::Original, None),
            }
        })
    }

    /// The blob that will go up behind this one, of the same role.
    pub fn upload_behind(&self, this: UploadKey) -> Result<Option<PendingUpload>, StoreError> {
        let doing = "looking for the photo behind the next";
        self.read(doing, |conn| self.first_upload(conn, this.role, Some(this.of)))
    }

    /// Within a role the first that may go is found without a look at the rest.
    fn first_upload(
        &self,
        conn: &Connection,
        role: Role,
        but: Option<Sha256>,
    ) -> Result<Option<PendingUpload>, StoreError> {
        let mut first = conn.prepare_cached(
            "SELECT of, sha256, bytes, state, url, ?1 = 'original' AND EXISTS
                 (SELECT 1 FROM blob WHERE blob.sha256 = of AND here = 1 AND preview = 'pending')
             FROM upload INDEXED BY upload_open
             WHERE role = ?1 AND of IS NOT ?2 AND state <> 'verified' AND state <> 'set-aside' AND NOT EXISTS
                 (SELECT 1 FROM op JOIN chain ON op.incarnation = chain.incarnation
                  WHERE op.op_id = upload.op_id AND op.dev_seq > chain.acknowledged)
             ORDER BY op_id",
        )?;
        let mut rows = first.query(params![sql::Word(role), but.map(Hash)])?;
        while let Some(row) = rows.next()? {
            let key = UploadKey { of: row.get::<_, Hash>(0)?.0, role };
            if row.get(5)? && self.expects_preview(key.of) {
                continue;
            }
            return Ok(Some(PendingUpload {
                key,
                sha256: row.get::<_, Hash>(1)?.0,
                bytes: row.get(2)?,
                path: self.vault.path(key.of, key.role),
                created: row.get::<_, String>(3)? == "created",
                upload_url: row.get(4)?,
            }));
        }
        Ok(None)
    }

    /// The hub made a place for the blob.
    pub fn upload_created(&self, key: UploadKey, url: &str) -> Result<(), StoreError> {
        self.upload(key, "state = 'created', url = ?3, sent = 0, code = NULL", url)
    }

    /// The hub holds this many bytes of it.
    pub fn upload_offset(&self, key: UploadKey, sent: u64) -> Result<(), StoreError> {
        self.upload(key, "sent = min(?3, bytes)", sent)
    }

    /// The hub has hashed its own copy: the blob is safe at the office.
    pub fn upload_verified(&self, key: UploadKey) -> Result<(), StoreError> {
        self.write_quietly("writing down that a photo is at the office", |writing| {
            lapse_loss(writing, key)?;
            let set = "state = 'verified', sent = bytes, code = NULL, url = ?3";
            put_upload_state(writing, key, set, None::<&str>)?;
            backup::forget(writing)
        })?;
        self.changed();
        Ok(())
    }

    /// The hub no longer knows the upload, or holds other bytes: it begins again.
    pub fn upload_restarted(&self, key: UploadKey) -> Result<(), StoreError> {
        self.write_quietly("writing down that a photo begins again", |writing| restart(writing, key))
    }

    /// The blob will not go up by itself; it is shown with `code`.
    pub fn upload_set_aside(&self, key: UploadKey, code: &str) -> Result<(), StoreError> {
        self.upload(key, "state = 'set-aside', code = ?3", code)?;
        self.changed();
        Ok(())
    }

    /// Everything that was set aside is tried again; what is lost, and was seen to, only where its file has come back, and what
    /// the office is still to be asked about not at all. Nor, `but_lost`, what is lost: it would seem to wait, where originals
    /// are held back, and again and again, where nobody asked.
    pub fn upload_retry_all(&self, but_lost: bool) -> Result<(), StoreError> {
        let taken_up = self.write_quietly("taking up what was set aside", |writing| {
            let gone = format!("{IS_GONE} AND role = 'original' AND of IN {SEEN}");
            let again = "UPDATE upload SET state = 'waiting', sent = 0, url = NULL, code = NULL";
            // Rot keeps a file's length: such a one would seem to wait.
            let sql =
                format!("SELECT of, bytes FROM upload WHERE {gone} AND NOT (?1 AND code = 'file-damaged')");
            let mut lost = writing.prepare(&sql)?;
            let mut rows = lost.query([but_lost])?;
            let mut back = Vec::new();
            while let Some(row) = rows.next()? {
                let (of, bytes): (Hash, u64) = (row.get(0)?, row.get(1)?);
                let file = self.vault.path(of.0, Role::Original);
                if file.metadata().is_ok_and(|file| file.len() == bytes) {
                    back.push(of);
                }
            }
            let stays = format!("{IS_UNASKED} OR {gone} OR (?1 AND role = 'original' AND {IS_GONE})");
            let mut count = writing
                .execute(&format!("{again} WHERE state = 'set-aside' AND NOT ({stays})"), [but_lost])?;
            for of in back {
                count += writing.execute(&format!("{again} WHERE of = ?1 AND role = 'original'"), [of])?;
            }
            Ok::<_, StoreError>(count)
        })?;
        if taken_up > 0 {
            self.changed();
        }
        Ok(())
    }

    fn upload(&self, key: UploadKey, set: &str, value: impl rusqlite::ToSql) -> Result<(), StoreError> {
        self.write_quietly("writing down how far a photo has got", |writing| {
            put_upload_state(writing, key, set, value)
        })
    }

    /// Evidence of colleagues and of the office of which nothing is here yet, not even a thumbnail.
    pub fn wanted(&self) -> Result<Vec<Sha256>, StoreError> {
        self.read("looking for photos to fetch", |conn| {
            let wanted = conn
                .prepare_cached("SELECT sha256 FROM blob WHERE here = 0 AND preview = 'pending'")?
                .query_map([], |row| Ok(row.get::<_, Hash>(0)?.0))?
                .collect::<Result<_, _>>()?;
            Ok(wanted)
        })
    }

    /// How many bytes this evidence has, as its record says; `None` when no record mentions it.
    pub fn bytes_of(&self, sha256: Sha256) -> Result<Option<u64>, StoreError> {
        self.read("looking how large a photo is", |conn| {
            let mut bytes = conn.prepare_cached("SELECT bytes FROM blob WHERE sha256 = ?1")?;
            Ok(bytes.query_row([Hash(sha256)], |row| row.get(0)).optional()?)
        })
    }

    /// The office has no picture of this evidence, and says why: it is not asked for again.
    pub fn not_to_be_had(&self, sha256: Sha256, code: &str) -> Result<(), StoreError> {
        self.write("writing down that a photo has no thumbnail", |writing| {
            put_preview(writing, sha256, "none", Some(code))
        })
    }

    /// Keeps a thumbnail that was fetched from the office. When this returns it is durable.
    pub fn put_thumbnail(&self, of: Sha256, bytes: &[u8]) -> Result<(), StoreError> {
        self.vault.keep_thumbnail(of, bytes, self.world.uuid())?;
        self.write("writing down a fetched thumbnail", |writing| {
            let ready = "UPDATE blob SET preview = 'ready', preview_code = NULL
                         WHERE sha256 = ?1 AND preview <> 'clip'";
            writing.prepare_cached(ready)?.execute([Hash(of)])?;
            Ok(())
        })
    }

    /// Whether any original or thumbnail is here that the hub has not verified, also one that was set aside. An original whose
    /// file is gone counts until somebody has seen to it; of a thumbnail nothing is here then.
    pub fn any_upload_waits(&self) -> Result<bool, StoreError> {
        self.read("looking whether a photo waits", |conn| {
            let sql = format!(
                "SELECT 1 FROM upload WHERE state <> 'verified' AND NOT (state = 'set-aside' AND code IS 'file-missing'
                     AND (role = 'thumbnail' OR of IN {SEEN}))"
            );
            Ok(conn.prepare_cached(&sql)?.exists([])?)
        })
    }

    /// What waits for the office.
    pub fn waiting(&self) -> Result<Waiting, StoreError> {
        self.read("counting what waits for the office", waiting)
    }
}

/// See [`Store::upload_restarted`].
pub fn restart(writing: &Writing<'_>, key: UploadKey) -> Result<(), StoreError> {
    put_upload_state(writing, key, "state = 'waiting', sent = 0, url = ?3", None::<&str>)
}

fn put_upload_state(
    writing: &Writing<'_>,
    key: UploadKey,
    set: &str,
    value: impl rusqlite::ToSql,
) -> Result<(), StoreError> {
    writing
        .prepare_cached(&format!("UPDATE upload SET {set}, at = ?4 WHERE of = ?1 AND role = ?2"))?
        .execute(params![Hash(key.of), sql::Word(key.role), value, writing.now().0])?;
    Ok(())
}

/// What waits for the office.
pub fn waiting(conn: &Connection) -> Result<Waiting, StoreError> {
    let records = conn
        .prepare_cached("SELECT last_seq - acknowledged FROM chain")?
        .query_row([], |row| row.get(0))
        .optional()?
        .unwrap_or_default();
    let not_there = seen::not_there(conn)?;
    let mut waiting = conn
        .prepare_cached(&format!(
            "SELECT count(*), coalesce(sum(bytes - sent), 0), coalesce(sum(state = 'set-aside'), 0),
                 coalesce(sum(iif(state = 'set-aside', 0, bytes - sent)), 0),
                 coalesce(sum({IS_GONE} OR {IS_UNASKED}), 0), coalesce(sum(iif({IS_GONE} OR {IS_UNASKED}, bytes - sent, 0)), 0)
             FROM upload WHERE state <> 'verified' AND role = 'original' AND NOT ({IS_GONE} AND of IN {SEEN})"
        ))?
        .query_row([], |row| {
            let (photos, set_aside): (u32, u32) = (row.get(0)?, row.get(2)?);
            let ready = (photos - set_aside, row.get(3)?);
            let gone = (row.get(4)?, row.get(5)?);
            Ok(Waiting { records, photos, bytes: row.get(1)?, ready, gone, set_aside, not_there })
        })?;
    let quarantined: u32 = conn
        .prepare_cached(&format!("SELECT count(*) FROM set_aside WHERE op_id NOT IN {SEEN}"))?
        .query_row([], |row| row.get(0))?;
    waiting.set_aside += quarantined;
    Ok(waiting)
}

/// What came in on this tablet.
pub struct Own<'a> {
    pub sha256: Sha256,
    pub bytes: u64,
    pub media_type: &'a str,
    /// What will become of its preview, with the reason where there will be none.
    pub preview: (&'a str, Option<&'a str>),
}

/// Writes down what came in on this tablet: its bytes are in the vault, and are to go up behind the operation that mentions
/// them. What others have recorded of the same photo may be wrong.
pub fn put_own(writing: &Writing<'_>, own: &Own<'_>, op_id: Uuid) -> Result<(), StoreError> {
    let Own { sha256, bytes, media_type, preview } = *own;
    writing
        .prepare_cached(
            "INSERT INTO blob (sha256, bytes, media_type, here, preview, preview_code) VALUES (?1, ?2, ?3, 1, ?4, ?5)
             ON CONFLICT (sha256) DO UPDATE SET
                 preview = iif(here = 1 OR preview = 'ready', preview, ?4), preview_code = iif(here = 1, preview_code, ?5),
                 here = 1, bytes = ?2, media_type = ?3",
        )?
        .execute(params![Hash(sha256), bytes, media_type, preview.0, preview.1])?;
    let key = UploadKey { of: sha256, role: Role::Original };
    put_upload(writing, key, sha256, bytes, op_id, writing.now())
}

/// Writes down evidence that an operation mentions, wherever its bytes are.
pub fn put_mentioned(conn: &Connection, evidence: &Evidence) -> Result<(), StoreError> {
    let preview = match evidence.media_type.split_once('/') {
        Some(("image", _)) => "pending",
        Some(("video", _)) => "clip",
        _ => "none",
    };
    let code = (preview == "none").then_some("not-a-picture");
    conn.prepare_cached(
        "INSERT INTO blob (sha256, bytes, media_type, here, preview, preview_code) VALUES (?1, ?2, ?3, 0, ?4, ?5)
         ON CONFLICT (sha256) DO NOTHING",
    )?
    // Whoever wrote it: a size that no file has must not keep what else was pulled from being taken in.
    .execute(params![
        Hash(evidence.sha256),
        i64::try_from(evidence.bytes).unwrap_or(i64::MAX),
        evidence.media_type,
        preview,
        code
    ])?;
    Ok(())
}

/// The hub has lost something: every photo is offered again. One that it still has costs a question. Of the photos of
/// others it is not known any more whether it has them.
pub fn offer_all_again(conn: &Connection) -> Result<(), StoreError> {
    conn.execute("UPDATE upload SET state = 'created', sent = 0, url = NULL WHERE state = 'verified'", [])?;
    conn.execute("UPDATE blob SET at_office = NULL WHERE at_office IS NOT NULL", [])?;
    Ok(())
}

/// The first operation that mentions each of these. Reads through the log, once for all of them.
pub fn first_mentions(
    conn: &Connection,
    mut photos: BTreeSet<Sha256>,
) -> Result<BTreeMap<Sha256, Uuid>, StoreError> {
    let mut found = BTreeMap::new();
    if photos.is_empty() {
        return Ok(found);
    }
    let mut statement = conn
        .prepare_cached("SELECT body, op_id FROM op WHERE kind = 'add' AND field IN (?1, ?2) ORDER BY seq")?;
    let mut rows = statement.query([set::PHOTOS, set::PROOF])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        if let Some(of) = query::evidence_in(body).and_then(|evidence| photos.take(&evidence.sha256)) {
            found.insert(of, row.get(1)?);
        }
    }
    Ok(found)
}

/// The hub lost a photo that was fetched from it: it goes up from here, after the operation that mentions it, and with a
/// thumbnail that is made anew.
pub fn offer_fetched(conn: &Connection, of: Sha256, op_id: Uuid, at: Millis) -> Result<(), StoreError> {
    let bytes: Option<u64> = conn
        .prepare_cached("SELECT bytes FROM blob WHERE sha256 = ?1")?
        .query_row([Hash(of)], |row| row.get(0))
        .optional()?;
    let Some(bytes) = bytes else { return Ok(()) };
    let again = "UPDATE blob SET preview = 'pending' WHERE sha256 = ?1 AND preview = 'ready'";
    conn.prepare_cached(again)?.execute([Hash(of)])?;
    put_upload(conn, UploadKey { of, role: Role::Original }, of, bytes, op_id, at)
}

/// Puts a blob in line to go up, unless it stands there already; one that was set aside is tried again, and one that stood
/// there with other bytes begins again with these.
pub fn put_upload(
    conn: &Connection,
    key: UploadKey,
    sha256: Sha256,
    bytes: u64,
    op_id: Uuid,
    at: Millis,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO upload (of, role, sha256, bytes, op_id, state, at) VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', ?6)
         ON CONFLICT (of, role) DO UPDATE SET sha256 = ?3, bytes = ?4, state = 'waiting', sent = 0, url = NULL, code = NULL
             WHERE state = 'set-aside' OR (state <> 'verified' AND (sha256, bytes) <> (?3, ?4))",
    )?
    .execute(params![Hash(key.of), sql::Word(key.role), Hash(sha256), bytes, op_id, at.0])?;
    lapse_loss(conn, key)
}

/// That somebody had seen to the loss of an original is over: its bytes are there after all.
fn lapse_loss(conn: &Connection, key: UploadKey) -> Result<(), StoreError> {
    match key.role {
        Role::Original => seen::lapse(conn, &key.of.0),
        Role::Thumbnail => Ok(()),
    }
}

/// Writes down that the vault holds the original. Its preview is made again, unless a thumbnail was made before.
pub fn put_here(conn: &Connection, of: Sha256) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE blob SET here = 1, preview = iif(preview = 'pending' AND EXISTS
             (SELECT 1 FROM upload WHERE of = blob.sha256 AND role = 'thumbnail'), 'ready', preview)
         WHERE sha256 = ?1",
    )?
    .execute([Hash(of)])?;
    Ok(())
}

/// The original came into the vault, or was found there. Whether no row had said so.
pub fn came(conn: &Connection, of: Sha256) -> Result<bool, StoreError> {
    // Only a small picture of it was here, or none: the large one can be made now.
    conn.prepare_cached(
        "UPDATE blob SET preview = 'pending', preview_code = NULL
         WHERE sha256 = ?1 AND here = 0 AND (preview = 'ready' OR preview_code = 'no-thumbnail')",
    )?
    .execute([Hash(of)])?;
    let is_news =
        conn.prepare_cached("SELECT 1 FROM blob WHERE sha256 = ?1 AND here = 0")?.exists([Hash(of)])?;
    put_here(conn, of)?;
    Ok(is_news)
}

/// An original that no row had named was found: with its preview, the small picture goes up, should the office lack it.
pub fn was_found(conn: &Connection, of: Sha256) -> Result<(), StoreError> {
    let sql = "UPDATE blob SET preview_code = 'found' WHERE sha256 = ?1 AND preview = 'pending'";
    conn.prepare_cached(sql)?.execute([Hash(of)])?;
    Ok(())
}

/// Whether the small picture of a photo of this tablet's own is still to be made, and can be.
pub fn any_preview_waits(conn: &Connection) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT 1 FROM blob JOIN upload ON of = blob.sha256 AND role = 'original'
         WHERE here = 1 AND preview = 'pending' AND NOT ({IS_GONE} AND of IN {SEEN})"
    );
    Ok(conn.prepare_cached(&sql)?.exists([])?)
}

/// Writes down what became of the preview.
pub fn put_preview(
    conn: &Connection,
    of: Sha256,
    preview: &str,
    code: Option<&str>,
) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE blob SET preview = ?2, preview_code = ?3 WHERE sha256 = ?1")?
        .execute(params![Hash(of), preview, code])?;
    Ok(())
}

/// A photo whose preview is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingPreview {
    pub sha256: Sha256,
    /// The original was found here, and no row had said so.
    pub found: bool,
}

/// The operation that brought an original in that goes up from here, or went; `None` where it was fetched from the office.
pub fn brought_in_by(conn: &Connection, of: Sha256) -> Result<Option<Uuid>, StoreError> {
    let sql = "SELECT op_id FROM upload WHERE of = ?1 AND role = 'original'";
    Ok(conn.prepare_cached(sql)?.query_row([Hash(of)], |row| row.get(0)).optional()?)
}

/// Photos that are here and have no preview yet, oldest first.
pub fn pending_previews(conn: &Connection) -> Result<Vec<PendingPreview>, StoreError> {
    let read = |row: &Row<'_>| Ok(PendingPreview { sha256: row.get::<_, Hash>(0)?.0, found: row.get(1)? });
    let pending = conn
        .prepare_cached(
            "SELECT blob.sha256, preview_code IS 'found' FROM blob LEFT JOIN upload ON of = blob.sha256 AND role = 'original'
             WHERE here = 1 AND preview = 'pending' ORDER BY upload.op_id",
        )?
        .query_map([], read)?
        .collect::<Result<_, _>>()?;
    Ok(pending)
}
