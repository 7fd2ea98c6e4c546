#!/usr/bin/env bash
# Starts the hub with the demonstration estate, and opens the tablet app enrolled to it. Data: demonstration/.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

home=$PWD/demonstration
mkdir -p "$home"
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
  say "No display here: playing the inspection of 2023-07-01 in a virtual one"
  exec target/debug/standpipe-demonstration --home "$home"
fi

exec target/debug/standpipe-demonstration --home "$home" --open
