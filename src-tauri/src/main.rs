//! The app on a desktop.

fn main() {
    standpipe_app::run();
}
