# shellcheck shell=bash
# What an operator sets up once, all through the public API. Every step may be repeated. Sourced by setup.sh.

readonly DATABASE=shop

configure() {
  enable kv secret -version=2
  enable database database
  create_database
  as_operator write database/config/shop plugin_name=postgresql-database-plugin allowed_roles='app-role,readonly-role,flash-role' \
    connection_url="postgresql://{{username}}:{{password}}@127.0.0.1:$(pg_port)/$DATABASE?sslmode=disable" \
    username=coffer_admin password=@"$STATE/postgres/password" >/dev/null
  good "database/config/shop points at PostgreSQL on 127.0.0.1:$(pg_port)"
  role app-role 120s 300s 'SELECT, INSERT, UPDATE'
  role readonly-role 60s 180s 'SELECT'
  # Only so that the story need not wait two minutes for an expiry.
  role flash-role 10s 30s 'SELECT'
  app_policy
  app_token
  demo_policy
  demo_user
  # The reference server has no such engine.
  is_reference || master_key
}

# enable TYPE PATH FLAGS...
enable() {
  local type=$1 path=$2
  shift 2
  if as_operator secrets list -format=json | grep -q "\"$path/\""; then
    good "$path/ is there already"
  else
    as_operator secrets enable -path="$path" "$@" "$type" >/dev/null
    good "$type enabled at $path/"
  fi
}

pg_port() { cat "$STATE/postgres/port"; }

# psql_as USER PASSWORD SQL: a real connection over TCP.
psql_as() {
  PGPASSWORD=$2 PGCONNECT_TIMEOUT=5 PGOPTIONS='' psql -X -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$(pg_port)" -U "$1" -d "${4:-$DATABASE}" -c "$3"
}

create_database() {
  local password
  password=$(cat "$STATE/postgres/password")
  if ! psql_as coffer_admin "$password" "select 1 from pg_database where datname = '$DATABASE'" postgres | grep -q '(1 row)'; then
    psql_as coffer_admin "$password" "create database $DATABASE" postgres >/dev/null
  fi
  psql_as coffer_admin "$password" "
    set client_min_messages = warning;
    create table if not exists orders (id int primary key, item text not null, cups int not null);
    insert into orders values (1, 'espresso', 2), (2, 'flat white', 1), (3, 'filter', 4) on conflict do nothing" >/dev/null
  good "database $DATABASE with the table orders"
}

# role NAME TTL MAX RIGHTS
role() {
  as_operator write "database/roles/$1" db_name=shop default_ttl="$2" max_ttl="$3" \
    creation_statements="CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'; GRANT $4 ON ALL TABLES IN SCHEMA public TO \"{{name}}\";" >/dev/null
  good "role $1: lives $2, at most $3, may $4"
}

# Who may see events of a path; the reference server has none.
subscribe() { is_reference || printf ', "subscribe"'; }

app_policy() {
  as_operator policy write app - >/dev/null <<HCL
# What the application may do, and nothing else.
path "secret/data/app/*"             { capabilities = ["read"$(subscribe)] }
path "secret/metadata/app/*"         { capabilities = ["read"$(subscribe)] }
path "database/creds/app-role"       { capabilities = ["read"$(subscribe)] }
path "database/creds/readonly-role"  { capabilities = ["read"] }
path "database/creds/flash-role"     { capabilities = ["read"] }
path "sys/leases/lookup"             { capabilities = ["update"] }
path "sys/leases/renew"              { capabilities = ["update"] }
path "sys/leases/revoke"             { capabilities = ["update"] }
path "sys/leases/revoke/*"           { capabilities = ["update"] }
path "sys/events/subscribe/*"        { capabilities = ["read"] }
HCL
  good "policy app"
}

demo_policy() {
  as_operator policy write demo - >/dev/null <<HCL
# For a person who tries things out in this demo: everything but what would end it for the others.
path "*"                   { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"$(subscribe)] }
path "sys/seal"            { capabilities = ["deny"] }
path "sys/step-down"       { capabilities = ["deny"] }
path "sys/raw/*"           { capabilities = ["deny"] }
path "sys/policies/acl/demo" { capabilities = ["read"] }
path "sys/policy/demo"     { capabilities = ["read"] }
path "auth/userpass/users/demo*" { capabilities = ["read"] }
path "sys/auth/userpass"   { capabilities = ["read"] }
HCL
  good "policy demo: for trying things out"
}

demo_user() {
  if ! as_operator auth list -format=json | grep -q '"userpass/"'; then
    as_operator auth enable userpass >/dev/null
  fi
  # So that the dashboard offers it before anybody has signed in.
  as_operator auth tune -listing-visibility=unauth userpass/ >/dev/null
  if [ ! -s "$STATE/demo-password" ]; then
    (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' 'xy' >"$STATE/demo-password")
  fi
  tr -d '\n' <"$STATE/demo-password" | as_operator write auth/userpass/users/demo password=- token_policies=demo token_ttl=8h >/dev/null
  good "a user for people: demo, with a password of its own ($STATE/demo-password, mode 0600)"
}

app_token() {
  if [ -s "$STATE/app-token" ] && as_app token lookup >/dev/null 2>&1; then
    good "the application's token is still good"
    return
  fi
  (umask 077 && as_operator token create -policy=app -period=24h -orphan -display-name=app -field=token >"$STATE/app-token.new")
  mv "$STATE/app-token.new" "$STATE/app-token"
  good "a token for the application: policy app, renewable day by day ($STATE/app-token, mode 0600)"
}

master_key() {
  enable kms kms
  if as_operator kms describe -key=alias/demo >/dev/null 2>&1; then
    good "the master key alias/demo is there already"
    return
  fi
  as_operator kms create -alias=alias/demo -description="wraps the data keys of the demo's files" >/dev/null
  good "a master key, alias/demo, that never leaves the server"
}
