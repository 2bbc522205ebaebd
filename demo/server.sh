# shellcheck shell=bash
# The Coffer server of the demo: configuration, start, initialisation, unseal. Sourced by setup.sh.

readonly FIRST_PORT=8200

# coffer WORDS...: the command line client, pointed at the demo's server. TOKEN decides who speaks.
coffer() {
  COFFER_ADDR=$ADDR BAO_ADDR=$ADDR VAULT_ADDR=$ADDR COFFER_TOKEN=${TOKEN:-} BAO_TOKEN=${TOKEN:-} VAULT_TOKEN=${TOKEN:-} "$BIN" "$@"
}

as_operator() { TOKEN=$(json_value root_token <"$STATE/init.json") coffer "$@"; }
as_app() { TOKEN=$(cat "$STATE/app-token") coffer "$@"; }

# The reference server, which proves this script, lacks some of what is ours.
is_reference() { case $(basename "$BIN") in bao | vault) ;; *) return 1 ;; esac; }

bring_up_server() {
  start_server
  initialise
  unseal
}

start_server() {
  if runs "$STATE/server.pid" "$STATE/server.hcl"; then
    ADDR=http://127.0.0.1:$(cat "$STATE/server.port")
    good "the server runs already at $ADDR"
    return
  fi
  local port
  port=$(free_port "$(cat "$STATE/server.port" 2>/dev/null || echo "$FIRST_PORT")")
  echo "$port" >"$STATE/server.port"
  ADDR=http://127.0.0.1:$port
  write_config "$port"
  # Its own session, so that closing this terminal does not end it; descriptor 9 is this script's lock.
  setsid "$BIN" server -config="$STATE/server.hcl" >>"$STATE/server.log" 2>&1 </dev/null 9>&- &
  echo $! >"$STATE/server.pid"
  disown
  wait_until 30 "the server answers" server_answers
  good "the server listens at $ADDR (log: $STATE/server.log)"
}

write_config() {
  local kind=file node=
  # The reference server has no storage of the kind "file".
  if is_reference; then kind=raft node='  node_id = "demo"'; fi
  mkdir -p "$STATE/data"
  cat >"$STATE/server.hcl" <<HCL
# Written by setup.sh at every start of the server.
storage "$kind" {
  path = "$STATE/data"
$node
}

# No TLS, therefore loopback only.
listener "tcp" {
  address     = "127.0.0.1:$1"
  tls_disable = true
}

api_addr     = "http://127.0.0.1:$1"
cluster_addr = "http://127.0.0.1:$(($1 + 1))"
HCL
}

server_answers() {
  # Only its process id: right after the start the command line is still that of this script.
  kill -0 "$(cat "$STATE/server.pid")" 2>/dev/null || {
    tail -5 "$STATE/server.log" >&2
    die "the server ended at once; its log is $STATE/server.log"
  }
  # `status` exits with 0 unsealed, 2 sealed, 1 when nobody answers.
  coffer status >/dev/null 2>&1 || [ $? = 2 ]
}

# `status` exits with 2 while sealed, which is an answer here and no failure.
status_value() { { coffer status -format=json 2>/dev/null || true; } | tr -d ' \n' | grep -q "\"$1\":$2"; }

initialise() {
  if [ ! -s "$STATE/init.json" ] && status_value initialized true; then
    say "an earlier run was interrupted before it could keep the keys: starting with an empty store"
    stop_process "$STATE/server.pid" "$STATE/server.hcl"
    rm -rf "$STATE/data"
    start_server
  fi
  if status_value initialized true; then
    good "initialised already (keys: $STATE/init.json)"
    return
  fi
  (umask 077 && coffer operator init -key-shares=3 -key-threshold=2 -format=json >"$STATE/init.json.new") || die "operator init failed (see above)"
  mv "$STATE/init.json.new" "$STATE/init.json"
  good "initialised: 3 key shares, 2 of them unseal; shares and root token are in $STATE/init.json (mode 0600)"
}

unseal() {
  if status_value sealed false; then
    good "unsealed already"
    return
  fi
  local key
  for key in $(tr -d '\n ' <"$STATE/init.json" | sed -E 's/.*"unseal_keys_b64":\[([^]]*)\].*/\1/' | tr -d '"' | tr ',' ' '); do
    status_value sealed false && break
    # By standard input: an argument would show in the list of processes.
    printf %s "$key" | coffer write sys/unseal key=- >/dev/null || die "unseal failed; if the store was changed by hand, run cleanup.sh and setup.sh"
  done
  wait_until 30 "the server is unsealed and active" active
  good "unsealed"
}

active() { as_operator token lookup >/dev/null 2>&1; }

free_port() {
  local port=$1 tries
  for ((tries = 0; tries < 500; tries++, port += 2)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
      echo "$port"
      return
    }
  done
  die "no free port found from $1 on"
}
