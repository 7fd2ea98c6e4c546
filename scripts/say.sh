# How the scripts speak. Sourced, not run.
started=$SECONDS
say() { printf '\033[1m▸ %s\033[0m  (%d:%02d)\n' "$*" $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)); }
fail() { printf '\033[1m✕ %s\033[0m\n' "$*" >&2; exit 1; }
# Runs a command and shows its output only when it fails.
quietly() {
  local log; log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then cat "$log" >&2; rm -f "$log"; fail "failed: $*"; fi
  rm -f "$log"
}
