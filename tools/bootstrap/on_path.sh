# shellcheck shell=bash
# A Bazel, or a bazelisk, that the machine has already.

# satisfies VERSION WANTED: whether a version is one that .bazelversion asks for.
satisfies() {
  case $2 in
    "$1" | latest | "${1%%.*}.x" | "${1%%.*}.*") return 0 ;;
    *) return 1 ;;
  esac
}

# ask_version PROGRAM: prints the version that the program runs. The environment keeps a bazelisk, and a copy of tools/bazel, from
# starting tools/bazel again.
ask_version() {
  local answer
  answer=$(SLIPWAY_BAZEL_PROBE=1 BAZELISK_SKIP_WRAPPER=true USE_BAZEL_VERSION=$wanted "$1" --version 2>"$log" </dev/null) || return 1
  answer=$(grep -m 1 '^bazel ' <<<"$answer") || return 1
  answer=${answer#bazel }
  printf '%s' "${answer%%[- ]*}"
}

# Sets `program` and `version`; else adds to `reasons`.
bazel_on_path() {
  local candidate
  [ -n "$candidates" ] || reasons+=("no Bazel on PATH")
  while IFS= read -r -d : candidate; do
    # A bazelisk downloads Bazel before it answers.
    busy "waiting for $candidate to run Bazel $wanted"
    if ! version=$(ask_version "$candidate"); then
      reasons+=("$candidate gives no version: $(last_line "$log")")
    elif ! satisfies "$version" "$wanted"; then
      reasons+=("$candidate is Bazel $version, not $wanted")
    else
      program=$candidate
      return 0
    fi
  done <<<"${candidates:+$candidates:}"
  return 1
}
