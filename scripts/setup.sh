#!/usr/bin/env bash
# Installs what building and testing need on Debian 12 or Ubuntu: system packages and the interfaces' npm packages.
# Does nothing where everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

for tool in cargo node npm; do
  command -v "$tool" >/dev/null || fail "$tool is missing: install Rust 1.95 and Node 24 first"
done
# What vite and its plugin for Svelte ask for.
node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
  process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24 ? 0 : 1)' ||
  fail "Node $(node --version) cannot build the interfaces: 20.19 or a later 20, 22.12 or a later 22, or 24 and later can"

packages=(
  build-essential pkg-config libwebkit2gtk-4.1-dev          # the app
  gstreamer1.0-plugins-good gstreamer1.0-libav              # clips play in the app
  webkit2gtk-driver xvfb xauth fonts-noto-cjk               # the app's tests
  strace                                                    # a test watches what is synced
  postgresql                                                # the hub's other database, in its tests
  redmine redmine-sqlite puma                               # a tracker beside the hub, in a test
  dbus                                                      # a test stands in for the network's own service
  patch                                                     # `make mutants` breaks the program with it
  libvips-tools curl                                        # the photo benches compare with vips, and send with curl
)
# The office's browser in tests. On Ubuntu both come as one snap under another name.
if [ "$(. /etc/os-release && echo "$ID")" = ubuntu ]; then
  packages+=(chromium-browser chromium-chromedriver)
else
  packages+=(chromium chromium-driver)
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "Installing ${#missing[@]} system packages: ${missing[*]}"
  root=(); [ "$(id -u)" = 0 ] || root=(sudo)
  export DEBIAN_FRONTEND=noninteractive
  quietly "${root[@]}" apt-get update
  # Redmine's package would make an instance of its own. Its set-up fails where a bundler beside the system's is newer.
  if [[ " ${missing[*]} " = *" redmine "* ]]; then
    quietly "${root[@]}" apt-get install -y --no-install-recommends debconf ruby-bundler
    echo "redmine redmine/instances/default/dbconfig-install boolean false" | quietly "${root[@]}" debconf-set-selections
    bundler=$(dpkg-query -W -f '${Version}' ruby-bundler)
    root+=(env "BUNDLER_VERSION=${bundler%%[-+~]*}")
  fi
  quietly "${root[@]}" apt-get install -y --no-install-recommends "${missing[@]}"
fi

if [ ! -e ui/node_modules/.installed ] || [ ui/package-lock.json -nt ui/node_modules/.installed ]; then
  say "Installing the interfaces' packages"
  # Not `npm ci`: it refuses a lock file without the packages that a dependency names and nobody has published.
  (cd ui && quietly npm install --no-audit --no-fund)
  touch ui/node_modules/.installed
fi
