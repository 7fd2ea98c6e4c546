#!/usr/bin/env bash
# Measures in a release build. One line of JSON for each figure on standard output; everything else on standard error.
# With names of figures it measures those only.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

# The peer for photos. Unpacked and not installed: an installed one would be started, and take port 80.
peer=target/tools/nginx
PATH=$PWD/$peer/usr/sbin:$PATH:/usr/sbin
if ! command -v nginx >/dev/null; then
  mkdir -p $peer
  # Debian has the program in the first of these, older Ubuntus in the second.
  for package in nginx nginx-core; do
    (cd $peer && quietly apt-get download $package && dpkg -x ${package}_*.deb .)
    [ ! -x $peer/usr/sbin/nginx ] || break
  done
fi

cargo bench --quiet -p standpipe-device --features testing --bench figures -- "$@"
# The hub's program and what measures it, selected alike: otherwise each would be built with other features.
sync=(-p standpipe-hub -p standpipe-tests)
cargo build --quiet --release "${sync[@]}" --bins --benches
cargo bench --quiet "${sync[@]}" --bench sync -- "$@"
