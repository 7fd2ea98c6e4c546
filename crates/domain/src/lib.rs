//! What an inspection is: its types, its rules, and what each person may do.
//!
//! Nothing here performs I/O, reads a clock, or knows of a database. The tablet's engine, the hub and both
//! user interfaces take their words from here; the TypeScript types of the interfaces are generated from
//! these ones ([`typescript`]).

pub mod answer;
pub mod asset;
pub mod checklist;
pub mod evidence;
pub mod finding;
pub mod hold;
pub mod ids;
pub mod issue;
pub mod kept;
pub mod limit;
pub mod media;
pub mod merge_rule;
pub mod office;
pub mod people;
pub mod permission;
pub mod place;
pub mod record;
pub mod round;
pub mod search;
pub mod signoff;
pub mod site;
pub mod sync;
pub mod tablet;
pub mod typescript;
pub mod words;
