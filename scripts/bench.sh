#!/usr/bin/env bash
# Measures in a release build. One line of JSON for each figure on standard output; everything else on standard error.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo bench --quiet -p standpipe-device --features testing --bench figures -- "$@"
