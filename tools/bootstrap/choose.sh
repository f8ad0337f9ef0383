#!/usr/bin/env bash
# Chooses the Bazel to run, installs it where needed, says in one line which and why, and writes the choice down.
# usage: choose.sh WANTED STATE CANDIDATES
#   WANTED      a version as in .bazelversion
#   STATE       folder of choices and installations
#   CANDIDATES  programs on PATH, joined by ':'
# The choice is three lines: road, program, '=' and CANDIDATES.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
for part in messages on_path bazelisk debian debian_packages debian_relocate; do
  # shellcheck disable=SC1090
  source "$here/$part.sh"
done

wanted=$1 state=$2 candidates=$3
choice=$state/choices/$wanted/choice
reasons=() # why the roads tried so far do not lead anywhere
program=   # set by the road that does

(umask 077 && mkdir -p "${choice%/*}") 2>/dev/null ||
  fail 1 "the cache folder $state cannot be written." "Make it writable, or let XDG_CACHE_HOME name another folder."
log=$(mktemp "$state/log.XXXXXX") ||
  fail 1 "the cache folder $state cannot be written." "Make it writable, or let XDG_CACHE_HOME name another folder."
at_exit() { idle; rm -f "$log"; }
trap at_exit EXIT

why() { local IFS=';'; local text="${reasons[*]:-}"; printf '%s' "${text//;/; }"; }

# remember ROAD TEXT: writes the choice down, and says the text if it is a new one.
remember() {
  local lines
  idle
  lines=$(printf '%s\n' "$1" "$program" "=$candidates")
  [ "$lines" = "$(cat "$choice" 2>/dev/null)" ] || say "$2"
  printf '%s\n' "$lines" >"$choice.$$"
  mv -f "$choice.$$" "$choice"
}

if bazel_on_path; then
  remember path "using $program from PATH, which is Bazel $version${reasons[0]:+ ($(why))}."
elif bazel_from_npm; then
  remember bazelisk "using bazelisk $bazelisk_version from npm, which runs Bazel $version ($(why))."
else
  bazel_from_debian
  remember debian "using Debian's Bazel $version in $home ($(why))."
fi
