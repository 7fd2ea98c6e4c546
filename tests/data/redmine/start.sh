#!/usr/bin/env bash
# start.sh FOLDER PORT: makes a Redmine of Debian's package in FOLDER, says who it is in one line of JSON, and answers at
# 127.0.0.1:PORT until it is told to end. Nothing of the system's own Redmine is touched.
set -euo pipefail
folder=$1 port=$2 here=$(cd "$(dirname "$0")" && pwd)
[ -d /usr/share/redmine ] || { echo "Redmine is missing: run make setup" >&2; exit 1; }

app=$folder/app own=$folder/app/instances/own
cp -a --no-preserve=ownership /usr/share/redmine "$app"
rm -rf "$app/instances" "$app/Gemfile.lock" "$app/config/database.yml"
mkdir -p "$own"/{config,log,files,public/plugin_assets,tmp/cache,tmp/pids}
head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$own/config/secret_key.txt"
printf 'production:\n  adapter: sqlite3\n  database: %s\n  timeout: 10000\n' "$folder/redmine.sqlite3" >"$own/config/database.yml"
ln -s "$own/config/database.yml" "$app/config/database.yml"
cd "$app"
# Which driver it needs it reads out of the system's own settings, wherever it stands itself.
sed -i "s#Dir\[.*database.yml'\]#Dir[File.join(__dir__, 'config/database.yml')]#" Gemfile
echo "gem 'puma'" >Gemfile.local

export RAILS_ENV=production REDMINE_INSTANCE=own REDMINE_LANG=en SCHEMA=/dev/null TZ=UTC
export HOME=$folder BUNDLE_USER_HOME=$folder/.bundle BUNDLE_SILENCE_ROOT_WARNING=1
# Of several bundlers the system's own; another one may be installed beside it.
BUNDLER_VERSION=$(ruby -rrubygems -e 'puts Gem::Specification.find_by_name("bundler").version')
export BUNDLER_VERSION
bundle install --local --quiet >&2
bundle exec rake db:migrate >"$folder/migrate.log" 2>&1 || { tail -40 "$folder/migrate.log" >&2; exit 1; }
bundle exec ruby bin/rails runner "$here/seed.rb"
# One thread: with more of them, SQLite is locked now and then.
exec bundle exec puma --environment production --threads 1:1 --workers 0 --bind "tcp://127.0.0.1:$port" config.ru >&2
