//! Every input that is kept in `fuzz/corpus` still holds. A fuzzer adds to it; none is needed here.

use std::path::Path;

fn replay(target: &str, play: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{} holds inputs", folder.display());
    for file in files {
        println!("{}", file.display());
        play(&std::fs::read(&file).expect("an input"));
    }
}

#[test]
fn bodies_of_the_wire() {
    replay("wire", standpipe_hostile::wire);
}

#[test]
fn operations_in_any_order() {
    replay("merge", standpipe_hostile::merge);
}

#[test]
fn requests_for_uploads() {
    replay("tus", standpipe_hostile::tus);
}
