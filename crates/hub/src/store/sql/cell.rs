//! What a row holds, whichever database showed it.

use super::SqlError;
use uuid::Uuid;

/// One row of an answer.
#[derive(Clone, Copy)]
pub(in crate::store) struct Row<'r>(pub &'r dyn Cells);

/// The cells of a row, as a driver gives them.
pub(in crate::store) trait Cells {
    /// The cell in the column `at`, counted from 0.
    fn cell(&self, at: usize) -> Result<Cell<'_>, SqlError>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Cell<'r> {
    Null,
    Int(i64),
    Text(&'r str),
    Bytes(&'r [u8]),
}

impl Row<'_> {
    /// What stands in the column `at`, counted from 0.
    pub(in crate::store) fn get<T: Fill>(&self, at: usize) -> Result<T, SqlError> {
        let cell = self.0.cell(at)?;
        T::fill(cell).ok_or_else(|| SqlError::Cell { at, found: cell.name(), wanted: T::WANTED })
    }
}

impl Cell<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Int(_) => "a number out of reach",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }
}

/// What a cell can be read as.
pub(in crate::store) trait Fill: Sized {
    /// What is looked for, for whoever reads of another.
    const WANTED: &'static str;
    /// `None` where the cell holds something else.
    fn fill(cell: Cell<'_>) -> Option<Self>;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Fill for $number {
            const WANTED: &'static str = "a number";
            fn fill(cell: Cell<'_>) -> Option<Self> {
                if let Cell::Int(number) = cell { number.try_into().ok() } else { None }
            }
        }
    )*};
}
numbers!(i64, u64, u32);

impl Fill for bool {
    const WANTED: &'static str = "yes or no";
    fn fill(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Int(number) = cell { Some(number != 0) } else { None }
    }
}

/// Text that is not the program's own lies in PostgreSQL as its bytes: its text takes no U+0000.
fn text(cell: Cell<'_>) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        Cell::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

impl Fill for String {
    const WANTED: &'static str = "text";
    fn fill(cell: Cell<'_>) -> Option<Self> {
        text(cell).map(Into::into)
    }
}

impl Fill for Box<str> {
    const WANTED: &'static str = "text";
    fn fill(cell: Cell<'_>) -> Option<Self> {
        text(cell).map(Into::into)
    }
}

impl<const N: usize> Fill for [u8; N] {
    const WANTED: &'static str = "bytes, so many of them";
    fn fill(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { bytes.try_into().ok() } else { None }
    }
}

impl Fill for Vec<u8> {
    const WANTED: &'static str = "bytes";
    fn fill(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { Some(bytes.into()) } else { None }
    }
}

impl Fill for Uuid {
    const WANTED: &'static str = "an identifier";
    fn fill(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { Self::from_slice(bytes).ok() } else { None }
    }
}

impl<T: Fill> Fill for Option<T> {
    const WANTED: &'static str = T::WANTED;
    fn fill(cell: Cell<'_>) -> Option<Self> {
        if cell == Cell::Null { Some(None) } else { T::fill(cell).map(Some) }
    }
}
