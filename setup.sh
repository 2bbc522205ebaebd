#!/usr/bin/env bash
# From an empty machine to a PostgreSQL credential that dies on time: builds Coffer, brings up a real
# PostgreSQL and a real server, configures it through its API, tells the story, and stays up.
#
#   bash setup.sh [--yes] [--no-story]
#
#   --yes        asks nothing (so does a run without a terminal)
#   --no-story   only brings everything up
#
# Environment: COFFER_DEMO_DIR (where its state lives, default .demo beside this file), COFFER_BIN (a binary
# to use instead of building one). Running it again is harmless: it resumes what is stopped or half done.
# `bash cleanup.sh` takes everything away again.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly ADVICE_NODE='install Node 18 or later with npm and run this again to have it'
YES='' STORY=1 BIN='' ADDR='' LEASE='' LOGIN='' PASSWORD='' ISSUED=0
# shellcheck source=demo/terminal.sh
. "$ROOT/demo/terminal.sh"
# shellcheck source=demo/server.sh
. "$ROOT/demo/server.sh"
# shellcheck source=demo/configure.sh
. "$ROOT/demo/configure.sh"
# shellcheck source=demo/story.sh
. "$ROOT/demo/story.sh"

main() {
  read_arguments "$@"
  claim_state
  heading "1 of 6: what this needs"
  need_packages
  heading "2 of 6: the binary"
  build
  heading "3 of 6: PostgreSQL"
  bring_up_postgres
  heading "4 of 6: the Coffer server"
  bring_up_server
  heading "5 of 6: configuration, through the public API"
  configure
  heading "6 of 6: an example service that has no password"
  bring_up_service
  if [ -n "$STORY" ]; then tell_story; fi
  farewell
}

read_arguments() {
  local word
  for word in "$@"; do
    case $word in
      --yes | -y) YES=1 ;;
      --no-story) STORY='' ;;
      -h | --help)
        sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
      *) die "unknown option $word; see setup.sh --help" ;;
    esac
  done
  [ -t 0 ] && [ -t 1 ] || YES=1
}

# The state directory is ours only with our marker in it: cleanup.sh deletes nothing else.
claim_state() {
  local wanted=${COFFER_DEMO_DIR:-$ROOT/.demo}
  if [ -d "$wanted" ] && [ ! -e "$wanted/.made-by-coffer" ] && [ -n "$(ls -A "$wanted")" ]; then
    die "$wanted exists and was not made by this script; set COFFER_DEMO_DIR to another place"
  fi
  mkdir -p "$wanted"
  STATE=$(cd "$wanted" && pwd)
  touch "$STATE/.made-by-coffer"
  exec 9>"$STATE/lock"
  flock -n 9 || die "another setup.sh is at work in $STATE; wait until it is done"
}

need_packages() {
  local missing=()
  command -v python3 >/dev/null || missing+=(python3)
  [ -n "${COFFER_BIN:-}" ] || command -v cc >/dev/null || missing+=(build-essential)
  [ -n "${COFFER_BIN:-}" ] || command -v npm >/dev/null || missing+=(nodejs npm)
  command -v psql >/dev/null && { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; } || missing+=(postgresql)
  if ((${#missing[@]} == 0)); then
    good "everything is here"
    return
  fi
  say "missing Debian packages: ${missing[*]} (their system services are not started)"
  if [ -z "$YES" ]; then
    local answer
    read -r -p "Install them now with apt-get? [Y/n] " answer
    case $answer in [nN]*) die "install ${missing[*]} yourself and run this again" ;; esac
  fi
  install_packages "${missing[@]}" 9>&-
  good "installed: ${missing[*]}"
}

# PostgreSQL's package starts a cluster of its own unless it is told not to, which postgres.sh knows how to do.
install_packages() {
  local sudo='' package
  [ "$(id -u)" = 0 ] || sudo=sudo
  command -v apt-get >/dev/null || die "this is no Debian: install $* yourself and run this again"
  [ -z "$sudo" ] || command -v sudo >/dev/null || die "as root: apt-get install $* (or let PostgreSQL be installed by: bash demo/postgres.sh install)"
  $sudo apt-get update -q
  for package in "$@"; do
    if [ "$package" = postgresql ]; then
      bash "$ROOT/demo/postgres.sh" install
    else
      DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends "$package"
    fi
  done
}

build() {
  if [ -n "${COFFER_BIN:-}" ]; then
    BIN=$(command -v "$COFFER_BIN") || die "COFFER_BIN=$COFFER_BIN is not a program"
    good "using $BIN"
    return
  fi
  build_dashboard
  command -v cargo >/dev/null || die "cargo is missing; install Rust from https://rustup.rs and run this again"
  say "cargo build --release -p coffer-cli (the first time takes some minutes)"
  (cd "$ROOT" && cargo build --release -p coffer-cli 9>&-)
  BIN=${CARGO_TARGET_DIR:-$ROOT/target}/release/coffer
  [ -x "$BIN" ] || die "the build left no $BIN"
  good "$BIN"
}

# Without it the binary is whole in every other respect, so nothing here is a reason to stop.
build_dashboard() {
  local code=0
  bash "$ROOT/dashboard/build.sh" 9>&- || code=$?
  case $code in
    0) good "the dashboard is built" ;;
    3) say "the binary is built without its dashboard; $ADVICE_NODE" ;;
    *) say "the dashboard could not be built (see above), so the binary is built without changes to it; later: bash dashboard/build.sh --force, then this again" ;;
  esac
}

bring_up_postgres() {
  bash "$ROOT/demo/postgres.sh" start "$STATE/postgres" 9>&-
  good "PostgreSQL $(psql_as coffer_admin "$(cat "$STATE/postgres/password")" 'show server_version' postgres | awk 'NR == 3 { print $1 }') on 127.0.0.1:$(pg_port), data in $(cat "$STATE/postgres/location")"
}

bring_up_service() {
  # Started anew at each run: the address, the port or the token may have changed.
  stop_process "$STATE/service.pid" "$ROOT/demo/service.py"
  rm -f "$STATE/service.status"
  COFFER_ADDR=$ADDR COFFER_TOKEN_FILE=$STATE/app-token SERVICE_STATUS=$STATE/service.status PGHOST=127.0.0.1 PGPORT=$(pg_port) PGDATABASE=$DATABASE \
    setsid python3 "$ROOT/demo/service.py" >>"$STATE/service.log" 2>&1 </dev/null 9>&- &
  echo $! >"$STATE/service.pid"
  disown
  wait_until 30 "the service has made its first query" service_runs
  good "it runs as $(json_value user <"$STATE/service.status") and counts $(json_value cups_ordered <"$STATE/service.status") cups ordered (log: $STATE/service.log)"
}

service_runs() { grep -q '"state": "running"' "$STATE/service.status" 2>/dev/null; }

farewell() {
  cat >"$STATE/env.sh" <<ENV
# Written by setup.sh: \`. $STATE/env.sh\` makes this shell speak to the demo as its operator.
export COFFER_ADDR=$ADDR BAO_ADDR=$ADDR VAULT_ADDR=$ADDR
COFFER_TOKEN=\$(tr -d '\\n' <"$STATE/init.json" | sed -E 's/.*"root_token": *"([^"]*)".*/\\1/')
export COFFER_TOKEN BAO_TOKEN=\$COFFER_TOKEN VAULT_TOKEN=\$COFFER_TOKEN
export PATH="$(dirname "$BIN"):\$PATH"
ENV
  local name
  name=$(basename "$BIN")
  heading "It stays up"
  cat <<TEXT
  Coffer        $ADDR    (log $STATE/server.log)
  PostgreSQL    127.0.0.1:$(pg_port), database $DATABASE
  the service   $(json_value queries <"$STATE/service.status") queries, $(json_value renewals <"$STATE/service.status") renewals so far    (log $STATE/service.log)

To log in as the operator:

  . $STATE/env.sh
  $name status

To try next:

  $name kv get secret/app/config
  $name read database/creds/readonly-role
  $name envelope encrypt -key=kms:alias/demo FILE     # a key of the file's own; kms/ holds the one that wraps it
  $name list sys/leases/lookup/database/creds/app-role
  $name lease revoke -prefix database/creds/app-role     # the service notices and takes a new credential
  tail -f $STATE/service.log

After a restart of the machine \`bash setup.sh\` brings it back; \`bash cleanup.sh\` takes everything away.
TEXT
}

main "$@"
