#!/usr/bin/env bash
# A private PostgreSQL for the demo, the tests and the load driver: its own data directory, its own port on
# loopback, password logins only. It never touches a cluster or a service of the machine.
#
#   postgres.sh install          installs Debian's server package where none is there
#   postgres.sh start DIR        creates the cluster on the first call, then starts it; a running one is left alone
#   postgres.sh stop DIR [fast|immediate]
#   postgres.sh remove DIR       stops it and deletes what `start` made
#   postgres.sh status DIR       exit code 0 when it accepts connections
#
# `start` leaves in DIR: `port`, `password` (of the superuser coffer_admin, 0600), `location` (where the data is).
# COFFER_PG_PORT is the first port to try, COFFER_PG_FSYNC=off trades durability for speed (tests only).
set -euo pipefail
# A root shell made by a plain `su` lacks the directory of runuser.
PATH=$PATH:/usr/sbin:/sbin

readonly ADMIN=coffer_admin
readonly MARKER=.made-by-coffer

die() { printf 'postgres.sh: %s\n' "$*" >&2; exit 1; }

server_bin() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
  if [ -n "$found" ] && [ -x "$found/initdb" ]; then echo "$found"; return; fi
  # Other distributions keep the programs in the PATH.
  found=$(command -v initdb || true)
  [ -n "$found" ] && dirname "$(readlink -f "$found")"
}

install_server() {
  [ -n "$(server_bin)" ] && command -v psql >/dev/null && return
  command -v apt-get >/dev/null || die "no PostgreSQL server found; install it (initdb and psql) and try again"
  local sudo=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "PostgreSQL is missing: run 'apt-get install postgresql' as root and try again"
    sudo=sudo
  fi
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -q
  # The package would otherwise create and start a cluster of its own; afterwards the setting is as it was.
  $sudo apt-get install -q -y --no-install-recommends postgresql-common
  local conf=/etc/postgresql-common/createcluster.conf line='create_main_cluster = false # while coffer installs'
  echo "$line" | $sudo tee -a "$conf" >/dev/null
  local failed=0
  $sudo apt-get install -q -y --no-install-recommends postgresql || failed=1
  $sudo sed -i "/^$line\$/d" "$conf"
  [ "$failed" = 0 ] || die "apt-get could not install postgresql (see above)"
  [ -n "$(server_bin)" ] || die "the package postgresql is installed but brought no server"
}

# PostgreSQL refuses to run as root, so root hands over to the package's own user.
as_owner() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && exec runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# The data lives in DIR/cluster, or, where the unprivileged user cannot reach that (a checkout below
# /root), in a directory of its own that DIR/location names.
choose_location() {
  local dir=$1 place
  if [ -s "$dir/location" ]; then cat "$dir/location"; return; fi
  place=$dir/cluster
  if ! as_owner test -x "$dir"; then place=$(mktemp -d /var/tmp/coffer-postgres-XXXXXXXX)/cluster; fi
  mkdir -p "$place"
  [ "$(id -u)" = 0 ] && chmod 755 "$(dirname "$place")" && chown postgres "$place"
  chmod 700 "$place"
  touch "$place/$MARKER"
  echo "$place" >"$dir/location"
  echo "$place"
}

free_port() {
  local port=${1:-5433} tries
  for ((tries = 0; tries < 500; tries++, port++)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
  die "no free port found from ${1:-5433} on; set COFFER_PG_PORT"
}

create_cluster() {
  local dir=$1 place=$2 bin=$3 pwfile=$2/pwfile
  if [ ! -s "$dir/password" ]; then
    (umask 077; head -c 24 /dev/urandom | base64 | tr -d '/+=\n' >"$dir/password")
  fi
  (umask 077; cat "$dir/password" >"$pwfile")
  [ "$(id -u)" = 0 ] && chown postgres "$pwfile"
  # A half-made cluster of an interrupted run is of no use to anyone.
  rm -rf "$place/data"
  as_owner "$bin/initdb" -D "$place/data" --username="$ADMIN" --pwfile="$pwfile" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; die "initdb failed"; }
  rm -f "$pwfile"
  cat >>"$place/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 32MB
fsync = ${COFFER_PG_FSYNC:-on}
log_line_prefix = '%m %q%u '
CONF
  touch "$place/ready"
}

accepts() {
  local dir=$1
  [ -s "$dir/port" ] && [ -s "$dir/password" ] || return 1
  PGPASSWORD=$(cat "$dir/password") PGCONNECT_TIMEOUT=3 psql -XAtq -h 127.0.0.1 -p "$(cat "$dir/port")" -U "$ADMIN" -d postgres -c 'select 1' >/dev/null 2>&1
}

start() {
  local dir=$1 bin place tries
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  accepts "$dir" && return
  bin=$(server_bin)
  [ -n "$bin" ] || die "no PostgreSQL server found; run '$0 install'"
  place=$(choose_location "$dir")
  [ -e "$place/ready" ] || create_cluster "$dir" "$place" "$bin"
  for tries in 1 2 3 4 5; do
    # The port of the last run is kept as long as it is free, because others have written it down.
    free_port "$(cat "$dir/port" 2>/dev/null || echo "${COFFER_PG_PORT:-5433}")" >"$dir/port.new"
    mv "$dir/port.new" "$dir/port"
    if as_owner "$bin/pg_ctl" -D "$place/data" -l "$place/log" -o "-p $(cat "$dir/port")" -w -t 60 start >"$dir/start.log" 2>&1 </dev/null; then
      accepts "$dir" && return
      sleep 0.2
      accepts "$dir" && return
    fi
  done
  tail -5 "$place/log" >&2 || true
  die "PostgreSQL did not start; see $place/log"
}

stop() {
  local dir=$1 mode=${2:-fast} place
  [ -s "$dir/location" ] || return 0
  place=$(cat "$dir/location")
  [ -e "$place/data/postmaster.pid" ] || return 0
  as_owner "$(server_bin)/pg_ctl" -D "$place/data" -m "$mode" -w stop >/dev/null 2>&1 || true
}

remove() {
  local dir=$1 place
  [ -s "$dir/location" ] || return 0
  stop "$dir" immediate
  place=$(cat "$dir/location")
  [ -e "$place/$MARKER" ] || die "$place does not look like a cluster made here; it is left alone"
  rm -rf "$place"
  case $place in /var/tmp/coffer-postgres-*/cluster) rmdir "$(dirname "$place")" ;; esac
  rm -f "$dir/location" "$dir/port" "$dir/password" "$dir/initdb.log" "$dir/start.log"
  rmdir "$dir" 2>/dev/null || true
}

case ${1:-} in
  install) install_server ;;
  start) start "${2:?directory}" ;;
  stop) stop "${2:?directory}" "${3:-fast}" ;;
  remove) remove "${2:?directory}" ;;
  status) accepts "${2:?directory}" ;;
  *) sed -n '2,14p' "$0" >&2; exit 2 ;;
esac
