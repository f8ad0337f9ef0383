# shellcheck shell=bash
# bazelisk from npm, where it can download Bazel.

bazelisk_version=1.28.1

# Asking for the name first saves a download of 20 MB where it could only fail. Behind a proxy names need not resolve.
releases_reachable() {
  [ -z "${HTTPS_PROXY:-}${https_proxy:-}${ALL_PROXY:-}${all_proxy:-}${BAZELISK_FORMAT_URL:-}" ] || return 0
  command -v getent >/dev/null || return 0
  local host=${BAZELISK_BASE_URL:-https://releases.bazel.build}
  host=${host#*://}
  host=${host%%[:/]*}
  getent hosts "$host" >/dev/null && return 0
  reasons+=("Bazel's release server is an unknown host")
  return 1
}

# Sets `program` and `version`; else adds to `reasons`.
bazel_from_npm() {
  local folder=$state/bazelisk-$bazelisk_version system machine partial reason
  if ! command -v npm >/dev/null; then
    reasons+=("npm is not installed")
    return 1
  fi
  releases_reachable || return 1
  system=$(uname -s | tr '[:upper:]' '[:lower:]')
  machine=$(uname -m)
  case $machine in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; esac
  program=$folder/node_modules/@bazel/bazelisk/bazelisk-${system}_$machine
  if [ ! -x "$program" ]; then
    # A damaged installation makes way now: what is there later, another tools/bazel has made, and uses.
    rm -rf "$folder"
    partial=$(mktemp -d "$state/bazelisk.XXXXXX")
    if ! npm install --prefix "$partial" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error \
      --fetch-retries=1 --fetch-retry-mintimeout=1000 "@bazel/bazelisk@$bazelisk_version" >"$log" 2>&1; then
      rm -rf "$partial"
      reasons+=("npm cannot install bazelisk: $(grep -v 'complete log' "$log" | tail -n 1)")
      return 1
    fi
    # One that was quicker is left as it is; between two that look at once, the second one's lands inside of the first one's.
    [ -e "$folder" ] || mv "$partial" "$folder"
    rm -rf "$partial" "$folder/${partial##*/}"
  fi
  if ! version=$(ask_version "$program"); then
    reason=$(last_line "$log")
    reasons+=("bazelisk cannot get Bazel $wanted: ${reason##*Most recent failure: }")
    return 1
  fi
}
