#!/usr/bin/env bash
# Breaks the program on purpose, one fault at a time, and shows with which seed the simulation notices it, and
# whether a story does that failed once and was kept. A fault that no seed notices has escaped, whatever a kept story
# says of it: then it exits with 1.
# Each crates/sim/mutants/*.patch is one: its first line says what goes wrong. Arguments choose some by name.
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${SEEDS:-2000}
work=target/mutants
tree=$work/tree
rm -rf "$tree"
mkdir -p "$tree"
# The interfaces are carried inside the hub: what was built of them comes along. All of it counts as new: what was built of a
# mutant may be younger than the file that took its place.
tar -c --exclude=./target --exclude=./fuzz/target --exclude=./demonstration --exclude=node_modules --exclude=./.git . |
    tar -x -m -C "$tree"
export CARGO_TARGET_DIR="$PWD/$work/build"
build() { (cd "$tree" && cargo build --quiet --profile sim -p standpipe-sim); }

play() { "$CARGO_TARGET_DIR/sim/standpipe-sim" "$@" --stop --no-shrink; }
# Of what was played, what fails first: `seed 7: why` or `a-kept-story fails again: why`.
first() { grep -m1 -E '^(seed [0-9]+|[^ ]+ fails again):' || true; }

build
# What fails without a fault would count as caught everywhere, and what cannot play at all as noticed by nobody.
if ! played=$(play --kept crates/sim/stories --seeds "${BASELINE:-200}"); then
    echo "the program fails as it is: $(first <<<"$played")" >&2
    exit 1
fi
row() { printf '%-34s %-11s %-11s %s\n' "$@"; }
row mutant seed 'kept story' what
escaped=0
for patch in crates/sim/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    patch --quiet -p1 -d "$tree" <"$patch"
    build
    # Seeds by themselves: a kept story tells that one fault is not made again, seeds that such faults are found.
    seed=$(play --seeds "$seeds" | first || true) kept=$(play --kept crates/sim/stories --seeds 0 | first || true)
    patch --quiet -R -p1 -d "$tree" <"$patch"
    number=${seed%%:*}
    [ -n "$seed" ] || { number=ESCAPED && escaped=$((escaped + 1)); }
    row "$name" "${number#seed }" "${kept:+catches it}" "$(head -1 "$patch")"
    [ -z "$seed" ] || row '' '' '' "${seed#*: }"
    [ -z "$kept" ] || row '' '' '' "${kept/ fails again:/:}"
done
[ $escaped -eq 0 ]
