//! The wire format of push and pull: zstd over lines of JSON.
//!
//! The first line is the batch's head, each further line an operation: as it was written, byte for byte. Limits are
//! enforced while decompressing, so that a small body cannot become a large one.

use crate::chain::{NotAnOp, Written};
use crate::checksum::Checksum;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use standpipe_domain::ids::{Millis, Sha256};
use std::fmt::Write as _;
use std::io::Read;
use uuid::Uuid;

/// The most operations in one push.
pub const MAX_OPS: usize = 500;
/// The most bytes of operations in one push, before compression, unless one transaction alone is larger.
pub const MAX_PUSH: usize = 256 * 1024;
/// The most bytes that one operation may have. A larger one is refused when it is recorded.
pub const MAX_OP: usize = 4 * 1024 * 1024;
/// The most bytes that a body may have after decompression: one largest operation, or one full batch, with its head.
pub const MAX_BODY: usize = MAX_OP + MAX_PUSH;
/// What the frame of one operation takes in a page, at most, and the head of the page.
pub const FRAME: usize = 64;
/// The most bytes that the operations of one transaction may have together, each with its [`FRAME`]: so one page holds all of
/// it, and nobody sees it in part, unless it has more than [`MAX_OPS`] operations. A larger one is refused when it is written.
pub const MAX_TX: usize = MAX_OP;
/// The most operations that are given back at once: those of one transaction go together, however many.
pub const MAX_RETURNED: usize = MAX_TX / FRAME;

const LEVEL: i32 = 3;
/// What a decoder remembers while it reads, at most: 8 MiB, as a power of two. A body of a few bytes can ask for 128 MiB;
/// none that is allowed needs more than [`MAX_BODY`].
const WINDOW: u32 = 23;

/// The head of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushHead {
    pub protocol: u32,
    pub incarnation: u32,
    /// The sequence number and hash of the operation before the first one here.
    pub after: u64,
    pub prev_hash: Sha256,
}

/// What the hub answers to a push that it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushAnswer {
    pub acknowledged: u64,
    /// Up to here the hub's last whole backup holds this incarnation; 0 where none does. A tablet writes it down, and forgets
    /// nothing for it.
    pub durable_seq: u64,
    pub quarantined: Vec<Refused>,
}

/// An operation that the hub keeps, but did not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub op_id: Uuid,
    pub code: String,
    pub detail: String,
}

/// What the hub answers, with status 409, to a push that does not fit what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum PushConflict {
    /// The same sequence number with another hash: this tablet was cloned, or restored from an old copy.
    Forked { incarnation: u32 },
    /// The hub's next operation of this tablet is another one.
    Expected { expected: u64 },
}

/// The head of a page of a pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullHead {
    pub protocol: u32,
    pub hub_epoch: Uuid,
    /// The page holds everything that the hub numbered behind this, up to `next`. Less than what was asked for where a
    /// transaction began before it.
    #[serde(default)]
    pub from: u64,
    /// The cursor after this page.
    pub next: u64,
    /// Whether another page is there to fetch.
    pub more: bool,
    /// The checksum of everything up to `next`, as 16 hexadecimal digits.
    pub checksum: String,
    pub now: Millis,
}

/// One line of a pull. The hub's place and time of receipt, and the operation as its author wrote it.
#[derive(Debug, Serialize, Deserialize)]
struct PullLine<'a> {
    seq: u64,
    at: Millis,
    #[serde(default, rename = "r", skip_serializing_if = "Option::is_none")]
    receipt: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    op: &'a RawValue,
}

/// An operation as the hub numbered it.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    pub seq: u64,
    /// When the hub received it.
    pub at: Millis,
    pub op: crate::op::Op,
    pub body: Box<str>,
    /// The hub's own mark that it took the operation: a hub that lost it takes it back with that.
    pub receipt: Option<Box<str>>,
}

impl Numbered {
    /// What it counts in the sum of its scope.
    pub fn checksum(&self) -> Checksum {
        Checksum::of(self.op.op_id, self.at, &self.body)
    }
}

/// An operation as a hub once took it, on its way back to a hub that lost it.
#[derive(Clone, Debug, PartialEq)]
pub struct Returned {
    /// When the hub had received it.
    pub at: Millis,
    pub receipt: Box<str>,
    pub body: Box<str>,
}

/// What the hub answers to operations that a tablet gives back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnAnswer {
    /// How many were taken back; the others were there, or are refused.
    pub taken: u64,
    /// What this hub never took.
    pub refused: Vec<Uuid>,
}

/// Operations of this tablet that were set aside, to be judged again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub ops: Vec<Uuid>,
}

/// What became of an [`Offer`]; the next pull brings what is named in neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferAnswer {
    /// What stays aside.
    pub quarantined: Vec<Refused>,
    /// What this hub has neither aside nor in its log: it was restored. It is to be pushed anew.
    #[serde(default)]
    pub lost: Vec<Uuid>,
}

/// The question for sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Up to which numbers.
    pub at: Vec<u64>,
}

/// The most sums that are asked for at once.
pub const MAX_SUMS: usize = 1_000;

/// The hub's sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumsAnswer {
    pub hub_epoch: Uuid,
    /// The hub's last number.
    pub head: u64,
    /// As 16 hexadecimal digits each.
    pub sums: Vec<String>,
}

/// A body that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    #[error("the body is not zstd: {0}")]
    NotZstd(std::io::Error),
    #[error("the body is larger than {MAX_BODY} bytes after decompression")]
    TooLarge,
    #[error("the body holds more than {0} operations")]
    TooMany(usize),
    #[error("the body is empty")]
    Empty,
    #[error("the body is not text: {0}")]
    NotText(#[from] std::string::FromUtf8Error),
    #[error("line {line}: {source}")]
    Line { line: usize, source: serde_json::Error },
}

impl Malformed {
    /// A stable code for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotZstd(_) => "not-zstd",
            Self::TooLarge => "too-large",
            Self::TooMany(_) => "too-many",
            Self::Empty => "empty",
            Self::NotText(_) => "not-text",
            Self::Line { .. } => "not-json",
        }
    }
}

/// A line of a push: an operation, or the text that is none.
pub type Line = Result<Written, (String, NotAnOp)>;

/// The body of a push: `ops` stand one behind the other, after what `head` names.
pub fn encode_push<'a>(
    head: &PushHead,
    bodies: impl IntoIterator<Item = &'a str>,
) -> std::io::Result<Vec<u8>> {
    let mut text = serde_json::to_string(head)?;
    for body in bodies {
        text.push('\n');
        text.push_str(body);
    }
    zstd::bulk::compress(text.as_bytes(), LEVEL)
}

/// Reads a push. Each line that is no operation is given as its error with its text, so that it can be set aside.
pub fn decode_push(body: &[u8]) -> Result<(PushHead, Vec<Line>), Malformed> {
    let text = decompress(body)?;
    let (head, lines): (PushHead, _) = split(&text)?;
    if lines.clone().count() > MAX_OPS {
        return Err(Malformed::TooMany(MAX_OPS));
    }
    let mut prev = head.prev_hash;
    let ops = lines
        .map(|line| {
            let read = Written::read(line, prev).map_err(|error| (line.to_owned(), error));
            prev = read.as_ref().map_or_else(|_| crate::chain::link(prev, line), |written| written.hash);
            read
        })
        .collect();
    Ok((head, ops))
}

/// The body of a page of a pull.
pub fn encode_pull<'a>(
    head: &PullHead,
    ops: impl IntoIterator<Item = (u64, Millis, &'a str, &'a str)>,
) -> std::io::Result<Vec<u8>> {
    let mut text = serde_json::to_string(head)?;
    for (seq, at, receipt, body) in ops {
        // The body is JSON already; writing the line by hand keeps every byte of it.
        let _ = write!(text, "\n{{\"seq\":{seq},\"at\":{},\"r\":\"{receipt}\",\"op\":{body}}}", at.0);
    }
    zstd::bulk::compress(text.as_bytes(), LEVEL)
}

/// Reads a page of a pull.
pub fn decode_pull(body: &[u8]) -> Result<(PullHead, Vec<Numbered>), Malformed> {
    let text = decompress(body)?;
    let (head, lines): (PullHead, _) = split(&text)?;
    let mut ops = Vec::new();
    for (at, line) in lines.enumerate() {
        let fault = |source| Malformed::Line { line: at + 2, source };
        let PullLine { seq, at, receipt, op } = serde_json::from_str(line).map_err(fault)?;
        let body: Box<str> = op.get().into();
        let receipt = receipt.map(|receipt| receipt.as_ref().into());
        ops.push(Numbered { seq, at, op: serde_json::from_str(&body).map_err(fault)?, body, receipt });
    }
    Ok((head, ops))
}

/// The body of operations that a tablet gives back: a line for each, behind a head that tells whether `more` follow.
pub fn encode_return(ops: &[Returned], more: bool) -> std::io::Result<Vec<u8>> {
    let mut text = serde_json::to_string(&ReturnHead { more })?;
    for Returned { at, receipt, body } in ops {
        let receipt = serde_json::to_string(receipt)?;
        let _ = write!(text, "\n{{\"at\":{},\"r\":{receipt},\"op\":{body}}}", at.0);
    }
    zstd::bulk::compress(text.as_bytes(), LEVEL)
}

/// Reads operations that a tablet gives back, and whether more follow. A line that cannot be read is left out: it must not
/// keep the others from coming back.
pub fn decode_return(body: &[u8]) -> Result<(bool, Vec<Returned>), Malformed> {
    #[derive(Deserialize)]
    struct Line<'a> {
        at: Millis,
        r: std::borrow::Cow<'a, str>,
        #[serde(borrow)]
        op: &'a RawValue,
    }
    let text = decompress(body)?;
    let (ReturnHead { more }, lines) = split(&text)?;
    if lines.clone().count() > MAX_RETURNED {
        return Err(Malformed::TooMany(MAX_RETURNED));
    }
    let read = |line| serde_json::from_str::<Line<'_>>(line).ok();
    let ops = lines.filter_map(read).map(|Line { at, r, op }| Returned {
        at,
        receipt: r.as_ref().into(),
        body: op.get().into(),
    });
    let ops = ops.collect();
    Ok((more, ops))
}

#[derive(Serialize, Deserialize)]
struct ReturnHead {
    #[serde(default)]
    more: bool,
}

fn decompress(body: &[u8]) -> Result<String, Malformed> {
    let mut decoder = zstd::stream::read::Decoder::new(body).map_err(Malformed::NotZstd)?;
    decoder.window_log_max(WINDOW).map_err(Malformed::NotZstd)?;
    let mut bytes = Vec::new();
    decoder.take(MAX_BODY as u64 + 1).read_to_end(&mut bytes).map_err(Malformed::NotZstd)?;
    if bytes.len() > MAX_BODY {
        return Err(Malformed::TooLarge);
    }
    Ok(String::from_utf8(bytes)?)
}

fn split<H: DeserializeOwned>(text: &str) -> Result<(H, std::str::Split<'_, char>), Malformed> {
    // Not `lines`: that would eat a carriage return, and with it a byte that was hashed.
    let mut lines = text.split('\n');
    let head = lines.next().filter(|line| !line.is_empty()).ok_or(Malformed::Empty)?;
    Ok((serde_json::from_str(head).map_err(|source| Malformed::Line { line: 1, source })?, lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::START;
    use crate::pen::{Draft, Moment, Pen};
    use serde_json::{Value, json};
    use standpipe_domain::ids::{DeviceId, PersonId, SiteId};

    fn head() -> PushHead {
        PushHead { protocol: 1, incarnation: 1, after: 0, prev_hash: START }
    }

    #[test]
    fn a_line_that_is_no_operation_is_set_aside_and_the_rest_read() {
        let body = encode_push(&head(), [r#"{"of":"tomorrow"}"#, "not json"]).unwrap();
        let (back, ops) = decode_push(&body).unwrap();
        assert_eq!(back, head());
        assert_eq!(ops.len(), 2);
        assert!(ops.iter().all(Result::is_err));
    }

    #[test]
    fn what_a_push_brings_comes_in_a_pull_byte_for_byte() {
        let mut pen = Pen::new(DeviceId(Uuid::from_u128(1)), SiteId(Uuid::from_u128(2)));
        let moment = Moment { now: Millis(0), actor: PersonId(Uuid::from_u128(3)), tx: Uuid::from_u128(4) };
        let draft = Draft::set("check", Uuid::from_u128(5), "note", json!("wet"), None);
        let written = pen.write(draft, Uuid::from_u128(6), moment).unwrap();
        let body = &*written.body;
        let [space, carriage, before] = [format!("{body} "), format!("{body}\r"), format!("\t{body}")];
        // Other JSON that reads as an operation too.
        let fields: serde_json::Map<String, Value> = serde_json::from_str(body).unwrap();
        let list = fields.into_iter().map(|(_, value)| value).collect::<Value>().to_string();
        let pushed = encode_push(&head(), [body, &space, &carriage, &before, &list]).unwrap();
        let (_, lines) = decode_push(&pushed).unwrap();
        let taken: Vec<&str> = lines.iter().flatten().map(|written| &*written.body).collect();
        assert_eq!(taken, [body], "JSON within JSON has no such edges");
        let pull = PullHead {
            protocol: 1,
            hub_epoch: Uuid::nil(),
            from: 0,
            next: 1,
            more: false,
            checksum: String::new(),
            now: Millis(0),
        };
        let pulled = encode_pull(&pull, [(1, Millis(0), "m", body)]).unwrap();
        assert_eq!(&*decode_pull(&pulled).unwrap().1[0].body, body);
    }

    #[test]
    fn a_body_that_asks_for_much_memory_gets_none() {
        let pack = |window| {
            let mut packer = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
            packer.window_log(window).unwrap();
            std::io::Write::write_all(&mut packer, serde_json::to_string(&head()).unwrap().as_bytes())
                .unwrap();
            packer.finish().unwrap()
        };
        assert_eq!(decode_push(&pack(WINDOW)).unwrap().0, head());
        assert_eq!(decode_push(&pack(WINDOW + 1)).unwrap_err().code(), "not-zstd");
    }

    #[test]
    fn hostile_bodies_are_told_apart() {
        let pack = |text: &str| zstd::bulk::compress(text.as_bytes(), 1).unwrap();
        let bomb = zstd::bulk::compress(&vec![b' '; 64 << 20], 19).unwrap();
        assert!(bomb.len() < 16 * 1024, "a bomb is small");
        let crowd = encode_push(&head(), std::iter::repeat_n("{}", MAX_OPS + 1)).unwrap();
        for (body, code) in [
            (b"plain".to_vec(), "not-zstd"),
            (bomb, "too-large"),
            (crowd, "too-many"),
            (pack(""), "empty"),
            (pack("<html>"), "not-json"),
            (zstd::bulk::compress(&[0xff, 0xfe], 1).unwrap(), "not-text"),
        ] {
            assert_eq!(decode_push(&body).unwrap_err().code(), code);
        }
        let returned = |lines| pack(&("{\"more\":false}".to_owned() + &"\n{}".repeat(lines)));
        assert_eq!(decode_return(&returned(MAX_RETURNED + 1)).unwrap_err().code(), "too-many");
        assert!(decode_return(&returned(MAX_OPS + 1)).is_ok(), "a transaction comes back whole");
    }
}
