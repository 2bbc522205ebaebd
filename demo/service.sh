# shellcheck shell=bash
# The demo's service: how it is started, and what it says of itself. Sourced by setup.sh and rotate.sh.

readonly SERVICE_FIRST_PORT=8300
# In the command line of a running one.
readonly SERVICE_NEEDLE=demo-service

bring_up_service() {
  # Started anew at each run: the address, the port or the token may have changed.
  stop_process "$STATE/service.pid" "$SERVICE_NEEDLE"
  local port
  port=$(free_port "$(cat "$STATE/service.port" 2>/dev/null || echo "$SERVICE_FIRST_PORT")")
  echo "$port" >"$STATE/service.port"
  rm -f "$STATE/service.address"
  COFFER_ADDR=$ADDR COFFER_TOKEN_FILE=$STATE/app-token SERVICE_LISTEN=127.0.0.1:$port SERVICE_ADDRESS_FILE=$STATE/service.address \
    PGHOST=127.0.0.1 PGPORT=$(pg_port) PGDATABASE=$DATABASE \
    setsid "$SERVICE" >>"$STATE/service.log" 2>&1 </dev/null 9>&- &
  echo $! >"$STATE/service.pid"
  disown
  wait_until 30 "the service has made its first query" service_runs
  good "it runs as $(service_value user) and counts $(service_value cups_ordered) cups ordered: $(service_page) (log: $STATE/service.log)"
}

service_page() { cat "$STATE/service.address"; }

service_runs() { service_status | grep -q '"state":"running"'; }

service_value() { service_status | json_value "$1"; }

# service_secret KEY: what it says of the secret that it follows.
service_secret() { service_status | grep -o '"secret":{[^}]*}' | json_value "$1"; }

# The status in JSON, with the head of the HTTP answer before it. curl is not on every machine.
service_status() {
  local place
  place=$(cat "$STATE/service.address" 2>/dev/null) || return 1
  place=${place#http://} place=${place%/}
  (
    exec 3<>"/dev/tcp/${place%:*}/${place##*:}" || exit 1
    printf 'GET /status.json HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$place" >&3
    cat <&3
  ) 2>/dev/null
}
