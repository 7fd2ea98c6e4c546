//! The rows in the pages of tables, whatever table they are of.

use super::pages::{PAGE, Pages, number};
use rusqlite::types::Value;

const TABLE_LEAF: u8 = 0x0D;
/// A table without row ids lies as an index does, whose rows stand in the pages above the leaves too.
const INDEX_LEAF: u8 = 0x0A;
const INDEX_ABOVE: u8 = 0x02;
/// The longest row of an index that lies in one page whole, in bytes (fileformat2, section 1.6). Longer ones are not read.
const LONGEST_IN_INDEX: usize = (PAGE - 12) * 64 / 255 - 23;
/// No row of this app is longer: an operation has four megabytes at most.
const LONGEST: usize = 8 << 20;

/// A row as it lies in a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// `None` in a table without row ids, and in an index.
    pub rowid: Option<i64>,
    pub columns: Vec<Value>,
}

/// The rows that lie in a page, if it is one of a table. What cannot be read is left out.
pub fn in_page(pages: &Pages, page_number: u32) -> Vec<Row> {
    let Some(page) = pages.page(page_number) else { return Vec::new() };
    // The first page begins with the file's header.
    let start = if page_number == 1 { 100 } else { 0 };
    let kind = page[start];
    let header = match kind {
        TABLE_LEAF | INDEX_LEAF => 8,
        INDEX_ABOVE => 12,
        _ => return Vec::new(),
    };
    let count = usize::from(page[start + 3]) << 8 | usize::from(page[start + 4]);
    let pointers = page[start + header..].chunks_exact(2).take(count);
    let row = |at: &[u8]| {
        let bytes = page.get(usize::from(at[0]) << 8 | usize::from(at[1])..)?;
        match kind {
            TABLE_LEAF => cell(pages, bytes),
            INDEX_LEAF => entry(bytes),
            // The number of the page below it comes first.
            _ => entry(bytes.get(4..)?),
        }
    };
    pointers.filter_map(row).collect()
}

fn entry(bytes: &[u8]) -> Option<Row> {
    let mut reader = Reader(bytes);
    let length = usize::try_from(reader.varint()?).ok().filter(|length| *length <= LONGEST_IN_INDEX)?;
    Some(Row { rowid: None, columns: columns(reader.take(length)?)? })
}

fn cell(pages: &Pages, bytes: &[u8]) -> Option<Row> {
    let mut reader = Reader(bytes);
    let length = usize::try_from(reader.varint()?).ok().filter(|length| *length <= LONGEST)?;
    let rowid = Some(reader.varint()?);
    let payload = payload(pages, reader.0, length)?;
    Some(Row { rowid, columns: columns(&payload)? })
}

/// The bytes of a row: in the page as many as fit, the others in pages chained to it.
fn payload(pages: &Pages, bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    let here = in_leaf(length);
    let mut payload = bytes.get(..here)?.to_vec();
    let mut next = if here < length { number(bytes.get(here..here + 4)?) } else { 0 };
    while payload.len() < length {
        let page = pages.page(next)?;
        let take = (length - payload.len()).min(PAGE - 4);
        payload.extend_from_slice(&page[4..4 + take]);
        next = number(&page);
    }
    Some(payload)
}

/// How many bytes of a row lie in the leaf itself (fileformat2, section 1.6).
fn in_leaf(length: usize) -> usize {
    let most = PAGE - 35;
    if length <= most {
        return length;
    }
    let least = (PAGE - 12) * 32 / 255 - 23;
    let fitting = least + (length - least) % (PAGE - 4);
    if fitting <= most { fitting } else { least }
}

/// The columns of a record (fileformat2, section 2.1).
fn columns(payload: &[u8]) -> Option<Vec<Value>> {
    let mut header = Reader(payload);
    let length = usize::try_from(header.varint()?).ok()?;
    let head = payload.len() - header.0.len();
    let mut header = Reader(payload.get(head..length)?);
    let mut body = Reader(payload.get(length..)?);
    let mut columns = Vec::new();
    while !header.0.is_empty() {
        columns.push(body.value(header.varint()?)?);
    }
    Some(columns)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<i64> {
        let mut value = 0_u64;
        for at in 0..9 {
            let byte = self.take(1)?[0];
            if at == 8 {
                return Some(signed(value << 8 | u64::from(byte)));
            }
            value = value << 7 | u64::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Some(signed(value))
    }

    fn integer(&mut self, bytes: usize) -> Option<Value> {
        let taken = self.take(bytes)?;
        let sign = if taken[0] & 0x80 == 0 { 0 } else { u64::MAX };
        Some(Value::Integer(signed(taken.iter().fold(sign, |value, byte| value << 8 | u64::from(*byte)))))
    }

    fn value(&mut self, serial: i64) -> Option<Value> {
        Some(match serial {
            0 => Value::Null,
            1..=4 => self.integer(usize::try_from(serial).ok()?)?,
            5 => self.integer(6)?,
            6 => self.integer(8)?,
            7 => Value::Real(f64::from_be_bytes(self.take(8)?.try_into().ok()?)),
            8 | 9 => Value::Integer(serial - 8),
            12.. => {
                let bytes = self.take(usize::try_from((serial - 12) / 2).ok()?)?;
                if serial % 2 == 0 { Value::Blob(bytes.to_vec()) } else { Value::Text(text(bytes)?) }
            }
            _ => return None,
        })
    }
}

fn signed(value: u64) -> i64 {
    i64::from_ne_bytes(value.to_ne_bytes())
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}
