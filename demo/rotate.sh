#!/usr/bin/env bash
# Gives the demo's secret another value, and waits until the service has taken it up: without a deployment, without a restart.
#
#   bash demo/rotate.sh          (COFFER_DEMO_DIR as for setup.sh)
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
STATE=${COFFER_DEMO_DIR:-$ROOT/.demo}
# shellcheck source=terminal.sh
. "$ROOT/demo/terminal.sh"
# shellcheck source=service.sh
. "$ROOT/demo/service.sh"

main() {
  [ -s "$STATE/env.sh" ] || die "there is no demo in $STATE: run setup.sh first"
  # shellcheck disable=SC1091
  . "$STATE/env.sh"
  local name
  name=$(cat "$STATE/binary")
  say "$ $name kv put secret/app/config api_key=…"
  VERSION=$(head -c 12 /dev/urandom | base64 | tr -d '\n' | "$name" kv put -format=json secret/app/config api_key=- | json_value version)
  good "secret/app/config has version $VERSION"
  wait_until 20 "the service takes it up" has_version
  good "the service has it, learnt by $(service_secret by) $(service_secret learnt_after_ms) ms after it was written"
}

has_version() { [ "$(service_secret version)" -ge "$VERSION" ] 2>/dev/null; }

main
