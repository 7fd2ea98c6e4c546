//! What stands in a statement in place of its question marks.

use uuid::Uuid;

/// A value on its way into a statement. It borrows, so that nothing is copied for it.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Value<'v> {
    /// Nothing, where something of this kind could be.
    Null(Kind),
    Int(i64),
    Text(&'v str),
    Bytes(&'v [u8]),
    Id(Uuid),
    /// A number that no column holds.
    Beyond,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    Int,
    Text,
    Bytes,
}

impl Value<'_> {
    pub(in crate::store) fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Int(_) | Self::Beyond => Kind::Int,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) | Self::Id(_) => Kind::Bytes,
        }
    }
}

/// What can stand in a statement.
pub(in crate::store) trait Bind {
    const KIND: Kind;
    fn value(&self) -> Value<'_>;
}

/// The values of a statement, in the order of its question marks.
macro_rules! bind {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::Bind::value(&$value)),*] };
}
pub(in crate::store) use bind;

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Bind for $number {
            const KIND: Kind = Kind::Int;
            fn value(&self) -> Value<'_> {
                i64::try_from(*self).map_or(Value::Beyond, Value::Int)
            }
        }
    )*};
}
numbers!(i64, u64, u32, usize);

impl Bind for bool {
    const KIND: Kind = Kind::Int;
    fn value(&self) -> Value<'_> {
        Value::Int(i64::from(*self))
    }
}

impl Bind for str {
    const KIND: Kind = Kind::Text;
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Bind for String {
    const KIND: Kind = Kind::Text;
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Bind for Box<str> {
    const KIND: Kind = Kind::Text;
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Bind for [u8] {
    const KIND: Kind = Kind::Bytes;
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl Bind for [u8; 32] {
    const KIND: Kind = Kind::Bytes;
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl Bind for Uuid {
    const KIND: Kind = Kind::Bytes;
    fn value(&self) -> Value<'_> {
        Value::Id(*self)
    }
}

impl<T: Bind> Bind for Option<T> {
    const KIND: Kind = T::KIND;
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null(T::KIND), Bind::value)
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    const KIND: Kind = T::KIND;
    fn value(&self) -> Value<'_> {
        T::value(self)
    }
}
