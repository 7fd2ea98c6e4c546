#!/usr/bin/env bash
# Makes the app's .deb and the hub's, in target/release/bundle/deb and target/debian.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

say "Building the interfaces"
(cd ui && quietly npm run build)
say "Gathering the notices of third parties"
scripts/notices.mjs
say "Packaging the app"
ui/node_modules/.bin/tauri build --no-bundle
# The release profile keeps line numbers, which a profiler wants and a user does not.
strip target/release/standpipe
ui/node_modules/.bin/tauri bundle --bundles deb
say "Packaging the hub"
cargo build --release -p standpipe-hub
scripts/hub-deb.sh target/release/standpipe-hub
ls -l target/release/bundle/deb/*.deb target/debian/*.deb
