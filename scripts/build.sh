#!/usr/bin/env bash
# Builds both user interfaces, then the app and the hub, which carry them inside.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

say "Building the interfaces"
(cd ui && quietly npm run build)
say "Building the app and the hub (the first time takes some minutes)"
# All of it with its tests, also for a mere run: a part would be built with other features, and then built again.
cargo build --workspace --all-targets
