#!/usr/bin/env bash
# Breaks the program on purpose, one fault at a time, and shows with which seed the simulation notices it.
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

run() {
    "$CARGO_TARGET_DIR/sim/standpipe-sim" --kept crates/sim/stories --seeds "$1" --stop --no-shrink |
        grep -m1 -E '^(seed [0-9]+|[^ ]+ fails again):' || true
}

build
# What fails without a fault would count as caught everywhere.
broken=$(run "${BASELINE:-200}")
[ -z "$broken" ] || { echo "the program fails as it is: $broken" >&2; exit 1; }
printf '%-34s %-34s %s\n' mutant 'caught by' what
escaped=0
for patch in crates/sim/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    patch --quiet -p1 -d "$tree" <"$patch"
    build
    found=$(run "$seeds")
    patch --quiet -R -p1 -d "$tree" <"$patch"
    if [ -n "$found" ]; then
        printf '%-34s %-34s %s\n' "$name" "${found%%:*}" "$(head -1 "$patch")"
        printf '%-69s %s\n' "" "${found#*: }"
    else
        printf '%-34s %-34s %s\n' "$name" ESCAPED "$(head -1 "$patch")"
        escaped=$((escaped + 1))
    fi
done
[ $escaped -eq 0 ]
