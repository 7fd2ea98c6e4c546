#!/usr/bin/env bash
# Every check and every test. Sets up what it needs on a fresh machine.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

scripts/setup.sh

say "Interfaces: format, types, unit tests"
(cd ui && npm run --silent format:check && npm run --silent check && npm run --silent test)

say "Rust: format"
cargo fmt --all -- --check

scripts/build.sh

say "Simulation: the faults on purpose still fit the program"
for patch in crates/sim/mutants/*.patch; do
  git apply --check "$patch" ||
    fail "$patch does not fit any more: the lines that it changes are others by now. Make it anew for them, so that \`make mutants\` breaks what it says."
done

say "Rust: tests"
cargo test --workspace

say "Simulation: tablets, a hub, a bad network and failing disks, from 2,000 seeds, after what failed once"
# What fails is played first from then on.
cargo run --quiet --profile sim -p standpipe-sim -- --kept crates/sim/stories --keep crates/sim/stories --seeds 2000

say "Rust: clippy"
cargo clippy --workspace --all-targets --quiet -- -D warnings
# The bench is built with a feature of its own.
cargo clippy -p standpipe-device --features testing --benches --quiet -- -D warnings

say "Dependencies: licences, bans, sources"
deny=target/tools/bin/cargo-deny
[ -x "$deny" ] || quietly cargo install --locked --root target/tools cargo-deny@0.20.2
"$deny" check licenses bans sources

say "All tests passed"
