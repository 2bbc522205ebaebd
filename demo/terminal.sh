# shellcheck shell=bash
# How the demo speaks: headings, shown commands, waits. Sourced by setup.sh and cleanup.sh.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' BLUE=$'\e[36m' PLAIN=$'\e[0m'
else
  BOLD='' DIM='' RED='' GREEN='' BLUE='' PLAIN=''
fi

heading() { printf '\n%s== %s ==%s\n' "$BOLD$BLUE" "$*" "$PLAIN"; }
say() { printf '%s\n' "$*"; }
good() { printf '%s✔ %s%s\n' "$GREEN" "$*" "$PLAIN"; }
die() {
  printf '%ssetup: %s%s\n' "$RED" "$*" "$PLAIN" >&2
  exit 1
}

# show LINE COMMAND...: prints LINE as one would type it, then runs COMMAND and indents what it prints.
show() {
  local line=$1 status=0
  shift
  printf '%s$ %s%s\n' "$DIM" "$line" "$PLAIN"
  # awk rather than sed: it ends the last line even where the command did not.
  "$@" 2>&1 | awk '{ print "    " $0 }' || status=${PIPESTATUS[0]}
  return "$status"
}

# wait_until SECONDS WHAT COMMAND...: polls COMMAND, with a dot a second so that nobody thinks it hangs.
wait_until() {
  local seconds=$1 what=$2 begin=$SECONDS dots=0
  shift 2
  until "$@"; do
    if ((SECONDS - begin > seconds)); then
      ((dots)) && printf '\n'
      die "$what did not happen within $seconds s"
    fi
    if ((SECONDS - begin > dots && SECONDS - begin > 2)); then
      ((dots)) || printf '%s' "waiting: $what "
      printf '.'
      dots=$((SECONDS - begin))
    fi
    sleep 0.1
  done
  ((dots)) && printf '\n'
  return 0
}

# runs PIDFILE NEEDLE: true while the process we wrote down lives; NEEDLE in its command line guards
# against a process id that was given to someone else after a restart of the machine.
runs() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 1
  [ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$2"
}

# stop_process PIDFILE NEEDLE: asks it to stop, insists after ten seconds.
stop_process() {
  local pid tries
  if runs "$1" "$2"; then
    pid=$(cat "$1")
    kill "$pid" 2>/dev/null || true
    for ((tries = 0; tries < 100; tries++)); do
      runs "$1" "$2" || break
      sleep 0.1
    done
    runs "$1" "$2" && kill -9 "$pid" 2>/dev/null
  fi
  rm -f "$1"
}

# json_value KEY: the first text or number under KEY in the JSON on standard input.
json_value() { tr -d '\n' | grep -oE "\"$1\"[[:space:]]*:[[:space:]]*(\"[^\"]*\"|[0-9]+)" | head -1 | sed -E 's/^"[^"]*"[[:space:]]*:[[:space:]]*"?([^"]*)"?$/\1/'; }
