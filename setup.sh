#!/usr/bin/env bash
# From an empty machine to a PostgreSQL credential that dies on time: builds Coffer, brings up a real
# PostgreSQL and a real server, configures it through its API, tells the story, and stays up.
#
#   bash setup.sh [--yes] [--no-story]
#
#   --yes        asks nothing (so does a run without a terminal)
#   --no-story   only brings everything up
#
# Environment: COFFER_DEMO_DIR (where its state lives, default .demo beside this file), COFFER_BIN and
# COFFER_DEMO_SERVICE (binaries of the server and of the demo's service, to use instead of building them).
# Running it again is harmless: it resumes what is stopped or half done.
# `bash cleanup.sh` takes everything away again.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly ADVICE_NODE='install Node 18 or later with npm and run this again to have it'
YES='' STORY=1 BIN='' SERVICE='' ADDR='' LEASE='' LOGIN='' PASSWORD='' ISSUED=0
# shellcheck source=demo/terminal.sh
. "$ROOT/demo/terminal.sh"
# shellcheck source=demo/server.sh
. "$ROOT/demo/server.sh"
# shellcheck source=demo/configure.sh
. "$ROOT/demo/configure.sh"
# shellcheck source=demo/service.sh
. "$ROOT/demo/service.sh"
# shellcheck source=demo/story.sh
. "$ROOT/demo/story.sh"

main() {
  read_arguments "$@"
  claim_state
  heading "1 of 6: what this needs"
  need_packages
  heading "2 of 6: the binaries"
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
        sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
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
  local wanted=() built=${CARGO_TARGET_DIR:-$ROOT/target}/release
  if [ -n "${COFFER_BIN:-}" ]; then
    BIN=$(command -v "$COFFER_BIN") || die "COFFER_BIN=$COFFER_BIN is not a program"
  else
    build_dashboard
    BIN=$built/coffer
    wanted+=(-p coffer-cli)
  fi
  SERVICE=${COFFER_DEMO_SERVICE:-$(dirname "$BIN")/demo-service}
  if [ -z "${COFFER_DEMO_SERVICE:-}" ] && { [ -z "${COFFER_BIN:-}" ] || [ ! -x "$SERVICE" ]; }; then
    SERVICE=$built/demo-service
    wanted+=(-p coffer-demo-service)
  fi
  if ((${#wanted[@]})); then cargo_build "${wanted[@]}"; fi
  [ -x "$BIN" ] && [ -x "$SERVICE" ] || die "there is no $BIN or no $SERVICE"
  good "using $BIN and $SERVICE"
}

cargo_build() {
  command -v cargo >/dev/null || die "cargo is missing; install Rust from https://rustup.rs and run this again"
  say "cargo build --release $* (the first time takes some minutes)"
  (cd "$ROOT" && cargo build --release "$@" 9>&-)
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

farewell() {
  cat >"$STATE/env.sh" <<ENV
# Written by setup.sh: \`. $STATE/env.sh\` makes this shell speak to the demo as its operator.
export COFFER_ADDR=$ADDR BAO_ADDR=$ADDR VAULT_ADDR=$ADDR
COFFER_TOKEN=\$(tr -d '\\n' <"$STATE/init.json" | sed -E 's/.*"root_token": *"([^"]*)".*/\\1/')
export COFFER_TOKEN BAO_TOKEN=\$COFFER_TOKEN VAULT_TOKEN=\$COFFER_TOKEN
export PATH="$(dirname "$BIN"):\$PATH"
ENV
  basename "$BIN" >"$STATE/binary"
  local name
  name=$(basename "$BIN")
  heading "It stays up"
  cat <<TEXT
  PostgreSQL    127.0.0.1:$(pg_port), database $DATABASE
  the service   $(service_value queries) queries, $(service_value renewals) renewals so far    (log $STATE/service.log)
  Coffer        $ADDR    (log $STATE/server.log)

To try on the command line, as the operator:

  . $STATE/env.sh
  $name status
  $name kv get secret/app/config
  $name read database/creds/readonly-role
  $name list sys/leases/lookup/database/creds/app-role
  $name lease revoke -prefix database/creds/app-role     # the service notices and takes another user
$(is_reference || ours "$name")
  ${COFFER_DEMO_DIR:+COFFER_DEMO_DIR=$STATE }bash demo/rotate.sh          # a new value for secret/app/config, taken up without a deployment
  tail -f $STATE/service.log

After a restart of the machine \`bash setup.sh\` brings it back; \`bash cleanup.sh\` takes everything away.
TEXT
  front_door
}

ours() {
  cat <<TEXT
  $1 envelope encrypt -key=kms:alias/demo FILE     # a key of the file's own; kms/ holds the one that wraps it
  $1 events subscribe '*'      # everything that happens, as it happens
TEXT
}

# The last words: where to look.
front_door() {
  heading "Open in a browser"
  if is_reference; then
    printf '  %s%s%s\n' "$BOLD" "$(service_page)" "$PLAIN"
    return
  fi
  cat <<TEXT
  $BOLD$ADDR/ui/$PLAIN

  Sign in with userpass as ${BOLD}demo$PLAIN, password $BOLD$(cat "$STATE/demo-password")$PLAIN
  (also in $STATE/demo-password; the root token is in $STATE/init.json).
  Put the service's page beside it, and revoke its user: $(service_page)
TEXT
}

main "$@"
