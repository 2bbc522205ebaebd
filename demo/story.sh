# shellcheck shell=bash
# The story that setup.sh tells. Every command shown is run for real. Sourced by setup.sh.

tell_story() {
  story_versions
  story_credential
  story_readonly
  story_expiry
  story_revocation
  story_rotation
}

story_versions() {
  heading "A secret has versions"
  local name old
  name=$(basename "$BIN")
  show "$name kv put secret/app/config api_key=first-$$" as_operator kv put secret/app/config api_key="first-$$"
  old=$(as_operator kv metadata get -format=json secret/app/config | json_value current_version)
  show "$name kv put secret/app/config api_key=second-$$" as_operator kv put secret/app/config api_key="second-$$"
  say "The application, with its own token, reads the new value and the old one (version $old):"
  show "$name kv get -field=api_key secret/app/config" as_app kv get -field=api_key secret/app/config
  show "$name kv get -version=$old -field=api_key secret/app/config" as_app kv get -version="$old" -field=api_key secret/app/config
  say "It may not write:"
  show "$name kv put secret/app/config api_key=mine" as_app kv put secret/app/config api_key=mine && die "the application could write"
  good "refused by its policy"
}

# issue ROLE: asks for a credential as the application; sets LEASE, LOGIN, PASSWORD and ISSUED.
issue() {
  local answer
  ISSUED=$(now_ms)
  answer=$(as_app read -format=json "database/creds/$1") || die "no credential from database/creds/$1"
  LEASE=$(json_value lease_id <<<"$answer")
  LOGIN=$(json_value username <<<"$answer")
  PASSWORD=$(json_value password <<<"$answer")
  printf '%s$ %s read database/creds/%s%s\n' "$DIM" "$(basename "$BIN")" "$1" "$PLAIN"
  printf '    lease     %s\n    user      %s\n    password  %s…\n    lives     %s s\n' "$LEASE" "$LOGIN" "${PASSWORD:0:4}" "$(json_value lease_duration <<<"$answer")"
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

query() { show "psql -U $LOGIN -d $DATABASE -c \"$1\"" psql_as "$LOGIN" "$PASSWORD" "$1"; }

story_credential() {
  heading "A database user made for this moment"
  issue app-role
  query 'select * from orders order by id' || die "the fresh credential was refused"
  good "a real login, over TCP, by a user that did not exist a second ago"
  as_app lease revoke -sync "$LEASE" >/dev/null 2>&1 || as_app lease revoke "$LEASE" >/dev/null
}

story_readonly() {
  heading "Another role, other rights"
  issue readonly-role
  query "insert into orders values (99, 'tea', 1)" && die "a read-only user could write"
  good "PostgreSQL itself says no: readonly-role may only read"
}

story_expiry() {
  heading "It dies on time"
  issue flash-role
  query 'select count(*) from orders' || die "the fresh credential was refused"
  count_down
  local refusal
  wait_until 20 "PostgreSQL refuses the login" login_refused
  refusal=$(($(now_ms) - ISSUED))
  query 'select count(*) from orders' && die "the expired credential still works"
  wait_until 20 "the role is dropped" role_dropped
  good "refused $((refusal / 1000)).$((refusal / 100 % 10)) s after it was asked for; its role is gone from PostgreSQL"
}

# Shows what the server says of the lease until it no longer knows it, or says zero.
count_down() {
  local ttl last=-1
  while ttl=$(as_app write -field=ttl sys/leases/lookup lease_id="$LEASE" 2>/dev/null) && [ "${ttl:-0}" -gt 0 ]; do
    if [ "$ttl" != "$last" ]; then
      if [ -t 1 ]; then printf '\r    time to live: %s%2d s%s ' "$BOLD" "$ttl" "$PLAIN"; else printf '    time to live: %d s\n' "$ttl"; fi
      last=$ttl
    fi
    sleep 0.2
  done
  [ -t 1 ] && printf '\r    time to live: %s 0 s%s \n' "$BOLD" "$PLAIN"
  return 0
}

role_dropped() { psql_as coffer_admin "$(cat "$STATE/postgres/password")" "select 1 from pg_roles where rolname = '$LOGIN'" | grep -q '(0 rows)'; }

login_refused() { ! psql_as "$LOGIN" "$PASSWORD" 'select 1' >/dev/null 2>&1; }

story_revocation() {
  heading "Or at once, by hand"
  issue app-role
  query 'select count(*) from orders' || die "the fresh credential was refused"
  show "$(basename "$BIN") lease revoke $LEASE" as_app lease revoke "$LEASE" || die "lease revoke failed"
  local begin
  begin=$(now_ms)
  wait_until 10 "PostgreSQL refuses the login" login_refused
  query 'select count(*) from orders' && die "the revoked credential still works"
  good "refused within $(($(now_ms) - begin)) ms of the revocation, with two minutes still on its clock"
}

story_rotation() {
  heading "A new value without a deployment"
  local name
  name=$(basename "$BIN")
  show "$name kv put secret/app/config api_key=third-$$" as_operator kv put secret/app/config api_key="third-$$"
  WANTED=$(as_operator kv metadata get -format=json secret/app/config | json_value current_version)
  wait_until 20 "the service takes up version $WANTED" service_follows
  good "the service has it, learnt by $(service_secret by) $(service_secret learnt_after_ms) ms after it was written; of the value it shows a fingerprint: $(service_secret fingerprint)"
}

service_follows() { [ "$(service_secret version)" = "$WANTED" ]; }
