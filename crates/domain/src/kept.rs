//! What was kept though somebody deleted it.

use crate::ids::Millis;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who deleted a record that is shown all the same, and why it was kept. It is a fact about the record and asks for no
/// choice: whoever wants it gone deletes it again, having seen what is there by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct KeptAgainstDelete {
    /// The name of who deleted it; of several, the last.
    pub by: String,
    /// When they did, by their clock.
    pub at: Millis,
    /// It was signed, and stays for good. Otherwise something that was recorded there was not deleted with it: nobody who
    /// deleted it had seen it, or a record stands in it that is not gone.
    pub signed: bool,
}
