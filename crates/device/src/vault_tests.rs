use super::*;
use crate::world::TestWorld;
use standpipe_oplog::chain::sha256;
use tempfile::TempDir;

struct Place {
    folder: TempDir,
    vault: Vault,
    world: TestWorld,
}

fn place() -> Place {
    let folder = TempDir::new().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    Place { folder, vault, world: TestWorld::new(1) }
}

impl Place {
    fn begin(&self, bytes: &[u8]) -> Incoming {
        let mut incoming = self.vault.begin(self.world.uuid(), bytes.len() as u64, &self.world).unwrap();
        incoming.write(bytes).unwrap();
        incoming
    }
}

#[test]
fn a_file_lies_under_the_hash_of_its_bytes() {
    let place = place();
    let arrived = place.vault.finish(place.begin(b"evidence")).unwrap();
    assert_eq!(arrived, Arrived { sha256: sha256(b"evidence"), bytes: 8, head: b"evidence".to_vec() });
    let name = arrived.sha256.to_string();
    let path = place.folder.path().join("photos").join(&name[..2]).join(&name[2..]);
    assert_eq!(fs::read(path).unwrap(), b"evidence");
}

#[test]
fn the_same_bytes_are_kept_once_and_a_damaged_file_is_made_whole() {
    let place = place();
    let arrived = place.vault.finish(place.begin(b"evidence")).unwrap();
    let path = place.vault.path(arrived.sha256, Role::Original);
    for damage in [b"evid".as_slice(), b"evi\0\0\0\0e"] {
        fs::write(&path, damage).unwrap();
        place.vault.finish(place.begin(b"evidence")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"evidence");
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn what_is_dropped_or_has_other_bytes_leaves_nothing() {
    let place = place();
    drop(place.begin(b"given up"));
    let other = place.vault.finish_as(place.begin(b"these"), Some(sha256(b"those"))).unwrap_err();
    assert_eq!(other.code(), "hash-mismatch");
    assert_eq!(fs::read_dir(place.folder.path().join("incoming")).unwrap().count(), 0);
    assert!(!place.vault.path(sha256(b"these"), Role::Original).exists());
}

#[test]
fn a_file_that_holds_more_than_was_given_gets_no_name() {
    let place = place();
    let incoming = place.begin(b"evidence");
    // As a write leaves it that failed half way.
    File::options().append(true).open(&incoming.path).unwrap().write_all(b"evi").unwrap();
    assert_eq!(place.vault.finish(incoming).unwrap_err().code(), "disk-fault");
    assert!(!place.vault.path(sha256(b"evidence"), Role::Original).exists());
    assert_eq!(fs::read_dir(place.folder.path().join("incoming")).unwrap().count(), 0);
}

#[test]
fn the_reserve_is_kept_for_records() {
    let place = place();
    place.world.set_free(RESERVE + 8);
    assert!(place.vault.begin(place.world.uuid(), 8, &place.world).is_ok());
    let refused = place.vault.begin(place.world.uuid(), 9, &place.world).unwrap_err();
    assert!(matches!(refused, VaultError::NoRoom { needed: 9, free: 8 }));
    place.world.set_free(5);
    assert!(matches!(
        place.vault.begin(place.world.uuid(), 9, &place.world).unwrap_err(),
        VaultError::NoRoom { free: 0, .. }
    ));
}

#[test]
fn the_vault_is_listed_by_names_and_a_file_is_believed_for_its_hash() {
    use inside::Found;
    let place = place();
    let (right, wrong) = (sha256(b"evidence"), sha256(b"testimony"));
    for bytes in [b"evidence".as_slice(), b"testimony"] {
        place.vault.finish(place.begin(bytes)).unwrap();
    }
    let path = place.vault.path(wrong, Role::Original);
    fs::write(&path, b"test").unwrap();
    fs::write(place.folder.path().join("photos").join("notes.txt"), b"not ours").unwrap();
    assert_eq!(place.vault.originals().unwrap().into_iter().collect::<Vec<_>>(), {
        let mut both = vec![(right, 8), (wrong, 4)];
        both.sort_unstable();
        both
    });
    let look = |of| place.vault.look_at(of).unwrap();
    assert_eq!((look(right), look(wrong)), (Found::Whole(8), Found::Spoilt));
    let put_aside = |of| place.vault.put_aside(of, place.world.uuid()).unwrap();
    assert_eq!(put_aside(right), Found::Whole(8), "it came between a look and this");
    assert_eq!(put_aside(wrong), Found::Nothing);
    assert_eq!((look(right), look(wrong)), (Found::Whole(8), Found::Nothing));
    let aside: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|file| file.unwrap().path()).collect();
    let aside = aside.iter().find(|path| path.extension().is_some()).expect("it is kept");
    assert_eq!(fs::read(aside).unwrap(), b"test");
    assert_eq!(place.vault.originals().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_read_is_not_put_aside() {
    let place = place();
    let of = sha256(b"evidence");
    // It is there, opens, and gives no byte.
    let path = place.vault.path(of, Role::Original);
    fs::create_dir_all(&path).unwrap();
    assert_eq!(place.vault.put_aside(of, place.world.uuid()).unwrap_err().code(), "disk-fault");
    let names = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(names.collect::<Vec<_>>(), [path]);
}
