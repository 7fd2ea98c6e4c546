#!/usr/bin/env bash
# Looks for bytes at which a promise does not hold: scripts/fuzz.sh <wire|merge|tus> [seconds].
# The flags are those of cargo-fuzz without a sanitizer, so that the stable compiler will do. What is found lies in
# fuzz/artifacts; what leads further in target/fuzz-corpus, of which a small part is kept in fuzz/corpus and replayed by
# every `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?wire, merge or tus}
seconds=${2:-600}
triple=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
 -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions --cfg fuzzing"
cargo build --quiet --manifest-path fuzz/Cargo.toml --release --target "$triple"
# What the hub of `tus` makes durable need not outlive it.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
mkdir -p "target/fuzz-corpus/$target" "fuzz/artifacts/$target"
exec "fuzz/target/$triple/release/$target" "target/fuzz-corpus/$target" "fuzz/corpus/$target" \
  -max_total_time="$seconds" -max_len=4096 -artifact_prefix="fuzz/artifacts/$target/" -print_final_stats=1
