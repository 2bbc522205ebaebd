#!/usr/bin/env bash
# Stops and removes what setup.sh brought up: the example service, the server, the private PostgreSQL, the state
# directory. Installed Debian packages and the build in target/ stay: others may use them by now.
#
#   bash cleanup.sh          (COFFER_DEMO_DIR as for setup.sh)
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=demo/terminal.sh
. "$ROOT/demo/terminal.sh"

main() {
  local wanted=${COFFER_DEMO_DIR:-$ROOT/.demo}
  if [ ! -d "$wanted" ]; then
    good "nothing to do: there is no $wanted"
    return
  fi
  STATE=$(cd "$wanted" && pwd)
  [ -e "$STATE/.made-by-coffer" ] || die "$STATE was not made by setup.sh; it is left alone"
  exec 9>"$STATE/lock"
  flock -n 9 || die "setup.sh is at work in $STATE; stop it first"
  stop_process "$STATE/service.pid" demo-service
  stop_process "$STATE/server.pid" "$STATE/server.hcl"
  good "service and server stopped"
  bash "$ROOT/demo/postgres.sh" remove "$STATE/postgres"
  good "PostgreSQL stopped and its data removed"
  exec 9>&-
  rm -rf "$STATE"
  good "$STATE removed"
}

main "$@"
