//! The console is built on its own and may not be there yet: its folder must be, for the program to build without it.

fn main() {
    let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/office/dist");
    println!("cargo::rerun-if-changed={dist}");
    if let Err(error) = std::fs::create_dir_all(dist) {
        println!("cargo::error=the folder of the console, {dist}, cannot be made: {error}");
    }
}
