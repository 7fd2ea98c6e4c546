//! One app at a time works on a tablet's data: a second would sweep away what the first is bringing in.

use crate::error::Error;
use crate::vault::{VaultError, make_private};
use std::fs::{File, TryLockError};
use std::path::Path;

/// Holds the data in `folder` for as long as the file is open.
///
/// # Errors
/// `in-use` while another app holds it.
pub(crate) fn hold(folder: &Path) -> Result<File, Error> {
    make_private(folder)?;
    let path = folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(VaultError::io("opening the file", &path))?;
    #[cfg(test)]
    let _settled = crate::tests::none_starting();
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse),
        Err(TryLockError::Error(error)) => Err(VaultError::io("locking the file", &path)(error).into()),
    }
}
