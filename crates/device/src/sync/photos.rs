//! The lanes of photos: uploads, one piece at a time, so that a new record can go between two pieces. Beside a photo that
//! goes up in one piece, the next goes up.

use super::driver::Driver;
use super::fault::Fault;
use super::file::{self, Piece, Spoilt};
use super::hub_client::{Created, HubClient, NewBlob, Patched};
use super::pace::PAROLE;
use crate::store::Store;
use crate::store::blobs::{PendingUpload, Role, UploadKey};
use crate::world::{World, aside};
use standpipe_domain::sync::Trouble;
use standpipe_oplog::upload::{BlobState, Effect, Event, PIECE, Upload};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// A blob at which the hub, or this tablet's disk, fails so many times in a row is set aside, so that the next gets its turn.
const STRIKES: u32 = 3;
/// So many times in a row a piece may go astray, or the hub forget the upload.
const SETBACKS: u32 = 3;
pub(super) const DOING: &str = "sending a photo";
/// What a hub may say of an upload that it has found in place of a new one.
const OF_AN_UPLOAD: [&str; 5] =
    ["unknown-upload", "expired-upload", "wrong-offset", "interrupted", "checksum-mismatch"];

/// The upload that is under way, and what the uploads before it taught.
#[derive(Debug)]
pub(super) struct Photos {
    current: Option<Current>,
    /// One that went up beside the one before it, and what the hub said: it counts when its turn comes.
    ahead: Option<(Current, Event)>,
    /// The size of piece that the link bore lately, in bytes.
    piece: u64,
    /// Blobs whose bytes were found to be what was recorded, since the app started.
    sound: HashSet<UploadKey>,
    strikes: HashMap<UploadKey, u32>,
    /// How many times in a row a file could not be read. Says nothing of the hub, nor the hub's faults of the file.
    unread: HashMap<UploadKey, u32>,
    /// Blobs whose bytes went along with their announcement when the line broke: what arrived is asked for.
    broken: HashSet<UploadKey>,
    /// The office is still to be asked for originals that are spoilt here.
    pub(super) asks: bool,
    /// Since when a blob is set aside that may go up yet, by the clock that never goes back.
    struck: Option<Duration>,
}

#[derive(Debug)]
struct Current {
    blob: PendingUpload,
    upload: Upload,
    url: String,
    effect: Effect,
    setbacks: u32,
    /// All of its bytes, where they go up in one piece.
    whole: Option<Piece>,
    /// The hub's place for it is written down. Only one that could not be filled at once need be found again.
    noted: bool,
    /// Its bytes go along with its announcement: it is small, and the hub has hardly any of it.
    at_once: bool,
}

impl Default for Photos {
    fn default() -> Self {
        let piece = *PIECE.start();
        Self {
            current: None,
            ahead: None,
            piece,
            sound: HashSet::new(),
            strikes: HashMap::new(),
            unread: HashMap::new(),
            broken: HashSet::new(),
            asks: true,
            struck: None,
        }
    }
}

impl Photos {
    /// Begins everything anew, but for what was learnt of the link and of what the hub may hold.
    pub(super) fn forget(&mut self) {
        let broken = std::mem::take(&mut self.broken);
        *self = Self { piece: self.piece, broken, ..Self::default() };
    }

    /// The hub may not have any more what it said that it has.
    pub(super) fn doubt(&mut self) {
        (self.ahead, self.asks) = (None, true);
    }

    /// Whether it is time to try again what was set aside.
    pub(super) fn parole(&self, now: Duration) -> bool {
        self.struck.is_some_and(|at| now.saturating_sub(at) >= PAROLE)
    }
}

impl Driver {
    /// Brings `blob` one request further.
    pub(super) async fn send_photo(&mut self, hub: &HubClient, blob: PendingUpload) -> Result<(), Trouble> {
        if let Some((current, event)) = self.photos.ahead.take_if(|(ahead, _)| ahead.blob.key == blob.key) {
            return self.follow(hub, current, event).await;
        }
        let current = self.photos.current.take().filter(|current| current.blob.key == blob.key);
        let Some(mut current) = (match current {
            Some(current) => Some(current),
            None => self.begin(hub, blob).await?,
        }) else {
            return Ok(());
        };
        self.standing.sending(true);
        let key = current.blob.key;
        let is_all =
            current.whole.is_some() && (current.at_once || matches!(current.effect, Effect::Send { .. }));
        let asked = if is_all && self.photos.ahead.is_none() {
            let (asked, ahead) = futures::join!(self.ask(hub, &mut current), self.send_ahead(hub, key));
            match ahead {
                Some(Ok(ahead)) => self.photos.ahead = Some(ahead),
                // What had arrived of it is asked for at its own turn, and not sent again.
                Some(Err(unannounced)) => {
                    self.photos.broken.insert(unannounced);
                }
                None => {}
            }
            asked
        } else {
            self.ask(hub, &mut current).await
        };
        let event = match asked {
            Ok(event) => event,
            // What had arrived earlier has another hash: it was thrown away, and the photo begins again.
            Err(Stop::Link(Fault::Refused { code, .. })) if code == "hash-mismatch" => Event::Mismatch,
            Err(Stop::Link(Fault::Refused { code, message, .. })) => {
                tracing::warn!(sha256 = %current.blob.sha256, code, "the hub refuses a photo: {message}");
                Event::Refused(code)
            }
            Err(Stop::Spoilt(spoilt)) => return self.spoilt(hub, &current.blob, &spoilt).await,
            Err(Stop::Link(fault)) => return self.failed(current, fault),
        };
        self.follow(hub, current, event).await
    }

    /// Sends the one behind `this` while the hub looks at `this`: its disk and the line need not wait for each other. Only
    /// what goes up in one piece; if anything is wrong with it, its own turn will tell. Gives the key of one that broke
    /// before the hub had said where it goes.
    async fn send_ahead(
        &self,
        hub: &HubClient,
        this: UploadKey,
    ) -> Option<Result<(Current, Event), UploadKey>> {
        let store = &self.standing.store;
        let blob = store.upload_behind(this).ok()??;
        let is_held = blob.key.role == Role::Original && self.standing.holds_originals().ok()?;
        if is_held || blob.created || blob.bytes > self.photos.piece {
            return None;
        }
        let whole = read(store.world(), &blob, whole).await.ok()?;
        let mut current = self.prepare(blob, Some(whole));
        loop {
            match self.ask(hub, &mut current).await {
                Ok(event @ (Event::Created { offset: None | Some(0) } | Event::Offset(0))) => {
                    current.effect = current.upload.step(event);
                }
                Ok(event) => return Some(Ok((current, event))),
                Err(_) => return current.url.is_empty().then_some(Err(current.blob.key)),
            }
        }
    }

    /// Looks whether the bytes are what was recorded. `None` when they are not, and the blob was set aside.
    async fn begin(&mut self, hub: &HubClient, blob: PendingUpload) -> Result<Option<Current>, Trouble> {
        let mut bytes = None;
        if !self.photos.sound.contains(&blob.key) {
            let world = self.standing.store.world();
            let looked = if blob.bytes <= self.photos.piece {
                read(world, &blob, whole).await.map(Some)
            } else {
                // Hashing a clip takes a while, and nothing is sent meanwhile.
                self.standing.sending(false);
                look_at(world, &blob).await.map(|()| None)
            };
            match looked {
                Ok(piece) => bytes = piece,
                Err(spoilt) => {
                    self.spoilt(hub, &blob, &spoilt).await?;
                    return Ok(None);
                }
            }
            self.photos.sound.insert(blob.key);
            self.photos.unread.remove(&blob.key);
        }
        Ok(Some(self.prepare(blob, bytes)))
    }

    fn prepare(&self, blob: PendingUpload, whole: Option<Piece>) -> Current {
        // Where it was announced before, or was there once, the hub may have it.
        let is_news = !blob.created && !self.photos.broken.contains(&blob.key);
        let current = Current::new(blob, self.photos.piece, whole);
        Current { at_once: is_news && current.whole.is_some(), ..current }
    }

    /// What follows from an answer: it is written down, and the next request is known.
    async fn follow(&mut self, hub: &HubClient, mut current: Current, event: Event) -> Result<(), Trouble> {
        let (store, key) = (&self.standing.store, current.blob.key);
        match &event {
            Event::Created { offset: None | Some(0) } => current.noted = false,
            // That it is verified is written down below, and that says more.
            Event::Sent { verified: true, .. } => {}
            Event::Created { offset: Some(offset) } | Event::Offset(offset) | Event::Sent { offset, .. } => {
                current.note(store)?;
                store.upload_offset(key, *offset)?;
            }
            Event::Gone | Event::Mismatch => {
                store.upload_restarted(key)?;
                current.noted = false;
            }
            _ => {}
        }
        if event == Event::Mismatch
            && let Err(spoilt) = look_at(store.world(), &current.blob).await
        {
            return self.spoilt(hub, &current.blob, &spoilt).await;
        }
        if matches!(event, Event::Sent { .. }) {
            current.setbacks = 0;
            self.photos.strikes.remove(&key);
            self.photos.unread.remove(&key);
        }
        current.effect = current.upload.step(event);
        self.photos.piece = current.upload.piece();
        match &current.effect {
            Effect::Done => self.standing.store.upload_verified(key)?,
            Effect::SetAside(code) => self.put_aside_for_now(&current.blob, code)?,
            _ => {
                self.photos.current = Some(current);
                self.standing.tell();
            }
        }
        Ok(())
    }

    /// The link broke, or the hub failed. A blob at which it fails again and again gives way to the next.
    fn failed(&mut self, mut current: Current, fault: Fault) -> Result<(), Trouble> {
        if current.url.is_empty() {
            self.photos.broken.insert(current.blob.key);
        }
        current.upload.step(Event::Lost);
        self.photos.piece = current.upload.piece();
        current.note(&self.standing.store)?;
        if matches!(fault, Fault::HubFault { .. }) && strikes_out(&mut self.photos.strikes, current.blob.key)
        {
            self.put_aside_for_now(&current.blob, fault.code())?;
        }
        Err(fault.into())
    }

    /// The file of a blob could not be read once more. Whether that was so often that the next gets its turn.
    pub(super) fn stays_unread(&mut self, key: UploadKey) -> bool {
        strikes_out(&mut self.photos.unread, key)
    }

    /// Sets a blob aside whose bytes may be whole: it is tried again after a while.
    pub(super) fn put_aside_for_now(&mut self, blob: &PendingUpload, code: &str) -> Result<(), Trouble> {
        let now = self.elapsed();
        self.photos.struck.get_or_insert(now);
        self.put_aside(blob, code)
    }

    pub(super) fn put_aside(&mut self, blob: &PendingUpload, code: &str) -> Result<(), Trouble> {
        tracing::warn!(sha256 = %blob.sha256, of = %blob.key.of, code, "a photo was set aside; the next goes on");
        self.standing.store.upload_set_aside(blob.key, code)?;
        self.standing.tell();
        Ok(())
    }
}

/// One more failure at a blob. Whether it has failed so often that the next gets its turn.
fn strikes_out(failures: &mut HashMap<UploadKey, u32>, key: UploadKey) -> bool {
    let strikes = failures.entry(key).or_default();
    *strikes += 1;
    let is_out = *strikes >= STRIKES;
    if is_out {
        failures.remove(&key);
    }
    is_out
}

/// Why a request for a photo gave no event.
enum Stop {
    Link(Fault),
    Spoilt(Spoilt),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Link(fault)
    }
}

impl Driver {
    /// Performs the request that the upload wants next.
    async fn ask(&self, hub: &HubClient, current: &mut Current) -> Result<Event, Stop> {
        let blob = &current.blob;
        match current.effect {
            Effect::Create => {
                let thumbnail_of = (blob.key.role == Role::Thumbnail).then_some(blob.key.of);
                let new = NewBlob { sha256: blob.sha256, bytes: blob.bytes, thumbnail_of };
                let first = current.whole.clone().filter(|_| std::mem::take(&mut current.at_once));
                let (is_sent, began) = (first.is_some(), self.elapsed());
                let created = match hub.create(&new, first).await {
                    // What is said of an upload that was there: another request has just ended it, or it stands elsewhere.
                    Err(Fault::Refused { code, .. }) if OF_AN_UPLOAD.contains(&code.as_str()) => {
                        return gone(current);
                    }
                    created => created?,
                };
                let millis = millis(self.elapsed().saturating_sub(began));
                match created {
                    Created::At { url, offset, verified } => {
                        current.url = url;
                        Ok(match offset {
                            Some(offset) if verified && offset == new.bytes && is_sent => {
                                Event::Sent { offset, millis, verified }
                            }
                            offset => Event::Created { offset },
                        })
                    }
                    // What the hub makes of it is asked for all the same.
                    Created::Known => Ok(Event::Offset(new.bytes)),
                }
            }
            Effect::AskOffset => offset(hub, current).await,
            Effect::Send { offset: from, len } => {
                let whole = current.whole.as_ref().filter(|_| (from, len) == (0, blob.bytes));
                let piece = if let Some(whole) = whole {
                    whole.clone()
                } else {
                    let world = self.standing.store.world();
                    let piece = read(world, blob, move |blob| file::piece(&blob.path, from, len)).await;
                    piece.map_err(Stop::Spoilt)?
                };
                let began = self.elapsed();
                let patched = hub.patch(&current.url, piece).await?;
                let millis = millis(self.elapsed().saturating_sub(began));
                match patched {
                    Patched::Arrived(offset) if offset > from => {
                        Ok(Event::Sent { offset, millis, verified: false })
                    }
                    // Of another length than this photo it is not this photo.
                    Patched::Verified(offset) if offset == blob.bytes => {
                        Ok(Event::Sent { offset, millis, verified: true })
                    }
                    Patched::Verified(_) => {
                        Err(Fault::of_hub(DOING, "the hub verified something else").into())
                    }
                    Patched::Arrived(_) => Err(Fault::of_hub(DOING, "the hub takes nothing").into()),
                    Patched::Astray => offset(hub, current).await,
                    Patched::Mismatch => Ok(Event::Mismatch),
                    Patched::Gone => gone(current),
                }
            }
            Effect::AskVerified => match hub.blob_states(&[blob.sha256]).await?.get(&blob.sha256) {
                Some(BlobState::Verified) => Ok(Event::Verified),
                Some(BlobState::Partial) => {
                    Err(Fault::of_hub(DOING, "the hub has not verified the photo yet").into())
                }
                // All bytes went up, and nothing is there: the hub found another hash and threw them away.
                Some(BlobState::Absent) | None => Ok(Event::Mismatch),
            },
            Effect::Done | Effect::SetAside(_) | Effect::BackOff => {
                Err(Fault::of_hub(DOING, "nothing to ask").into())
            }
        }
    }
}

impl Current {
    fn new(blob: PendingUpload, piece: u64, whole: Option<Piece>) -> Self {
        let url = blob.upload_url.clone().unwrap_or_default();
        let noted = blob.created && !url.is_empty();
        let (upload, effect) = Upload::new(blob.bytes, piece, noted);
        Self { blob, upload, url, effect, setbacks: 0, whole, noted, at_once: false }
    }

    /// Writes down the hub's place for it, so that the app finds it again when it starts anew.
    fn note(&mut self, store: &Store) -> Result<(), Trouble> {
        if !self.noted && !self.url.is_empty() {
            store.upload_created(self.blob.key, &self.url)?;
            self.noted = true;
        }
        Ok(())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn whole(blob: &PendingUpload) -> Result<Piece, Spoilt> {
    file::whole(&blob.path, blob.bytes, blob.sha256)
}

/// Reads the whole file.
async fn look_at(world: &dyn World, blob: &PendingUpload) -> Result<(), Spoilt> {
    read(world, blob, |blob| file::check(&blob.path, blob.bytes, blob.sha256)).await
}

/// Reads a file on another thread: the driver's own must hear pokes meanwhile.
async fn read<T: Send + 'static>(
    world: &dyn World,
    blob: &PendingUpload,
    look: impl FnOnce(&PendingUpload) -> Result<T, Spoilt> + Send + 'static,
) -> Result<T, Spoilt> {
    let blob = blob.clone();
    let looking = aside(world, move || look(&blob));
    looking.await.unwrap_or_else(|error| Err(Spoilt::Unread(error.to_string())))
}

async fn offset(hub: &HubClient, current: &mut Current) -> Result<Event, Stop> {
    let Some(offset) = hub.offset(&current.url).await? else { return gone(current) };
    setback(current)?;
    Ok(Event::Offset(offset))
}

fn gone(current: &mut Current) -> Result<Event, Stop> {
    setback(current)?;
    Ok(Event::Gone)
}

/// A hub that forgets again and again, or wants the same piece for ever, must not keep the link busy.
fn setback(current: &mut Current) -> Result<(), Stop> {
    current.setbacks += 1;
    if current.setbacks > SETBACKS {
        return Err(Fault::of_hub(DOING, "the hub asks for the same again and again").into());
    }
    Ok(())
}
