# shellcheck shell=bash
# What people read, all of it on stderr: stdout belongs to Bazel.

say() { printf 'tools/bazel: %s\n' "$*" >&2; }

# fail STATUS WHAT REMEDY: what is wrong, then what to do; ends the script.
fail() {
  printf 'tools/bazel: %s\n  %s\n' "$2" "$3" >&2
  exit "$1"
}

# last_line FILE [PATTERN]: the last line that says something, or the last that matches, for a message of one line.
last_line() { { grep -E "${2:-[^[:space:]]}" "$1" || :; } | tail -n 1; }
