#!/usr/bin/env bash
# Builds the dashboard into dashboard/dist, where the Rust build finds it. Does nothing when it is built already.
#
#   bash dashboard/build.sh [--force]
#
# Exit code 3 says that Node is missing or too old: the Rust build works without, and /ui/ then says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly NODE_MIN=18

main() {
  if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
    echo "dashboard: node and npm are missing (Debian: apt-get install nodejs npm)" >&2
    exit 3
  fi
  local major
  major=$(node --version | sed -E 's/^v([0-9]+).*/\1/')
  if ((major < NODE_MIN)); then
    echo "dashboard: Node $major is too old, $NODE_MIN or later is needed" >&2
    exit 3
  fi
  if [ "${1:-}" != --force ] && is_fresh; then
    echo "dashboard: nothing has changed"
    return
  fi
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --no-fund --no-audit --loglevel=error
  fi
  npm run --silent build
}

is_fresh() {
  [ -e dist/index.html ] || return 1
  [ -z "$(find src public scripts index.html callback.html vite.config.js tsconfig.json package.json package-lock.json -newer dist/index.html -print -quit)" ]
}

main "$@"
