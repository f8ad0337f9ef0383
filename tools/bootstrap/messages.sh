# shellcheck shell=bash
# What people read, all of it on stderr: stdout belongs to Bazel.

say() { printf 'tools/bazel: %s\n' "$*" >&2; }

# fail STATUS WHAT REMEDY: what is wrong, then what to do; ends the script.
fail() {
  printf 'tools/bazel: %s\n  %s\n' "$2" "$3" >&2
  exit "$1"
}

# busy TEXT [COMMAND…]: from now on says every 4 s that this goes on, with what the command prints, until `idle` or another `busy`.
# It ends with the script, whose lock it does not keep, and no `sleep` outlives it. The script's trap is `at_exit`.
ticker=
busy() {
  idle
  # A ticker that is stopped before it began would run the script's trap.
  trap - EXIT
  (
    # Bash itself complains now and then when it is stopped while it waits for `<(:)`.
    exec 9>&- 3>&2 2>/dev/null
    while ! read -r -t 4 <> <(:) && kill -0 $$; do
      say "$1${2:+ ($("${@:2}"))} …" 2>&3
    done
  ) &
  ticker=$!
  trap at_exit EXIT
}

idle() {
  if [ -n "$ticker" ]; then
    { kill "$ticker" && wait "$ticker"; } 2>/dev/null || :
    ticker=
  fi
}

# last_line FILE [PATTERN]: the last line that says something, or the last that matches, for a message of one line.
last_line() { { grep -E "${2:-[^[:space:]]}" "$1" || :; } | tail -n 1; }
