//! Photos whose bytes on this tablet are not what was recorded, as the database knows them.

use super::Store;
use super::fault::StoreError;
use super::seen::{IS_GONE, IS_UNASKED};
use super::sql::Hash;
use standpipe_domain::ids::Sha256;

impl Store {
    /// Originals that are spoilt here. The office may have them by now.
    pub fn spoilt(&self) -> Result<Vec<Sha256>, StoreError> {
        self.read("looking what the office is to be asked", |conn| {
            let sql = format!(
                "SELECT of FROM upload WHERE role = 'original' AND state = 'set-aside' AND ({IS_UNASKED} OR {IS_GONE})"
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let rows = statement.query_map([], |row| Ok(row.get::<_, Hash>(0)?.0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Writes down that these are lost: the office, once asked, does not have them either, which are spoilt here.
    pub fn put_lost(&self, photos: &[Sha256]) -> Result<(), StoreError> {
        let told = self.write_quietly("writing down which photos are lost", |writing| {
            let sql = format!(
                "UPDATE upload SET code = replace(code, '-unasked', '')
                 WHERE of = ?1 AND role = 'original' AND state = 'set-aside' AND {IS_UNASKED}"
            );
            let mut told = 0;
            for of in photos {
                told += writing.prepare_cached(&sql)?.execute([of.0])?;
            }
            Ok::<_, StoreError>(told)
        })?;
        if told > 0 {
            self.changed();
        }
        Ok(())
    }
}
