# shellcheck shell=bash
# bazelisk from npm, where it can download Bazel.

# Sets `bazelisk_version` and `bazelisk_integrity`, from the lock beside this file (in a repository that `slipway init` made) or that of
# this repository.
read_lock() {
  local lock=$here/pnpm-lock.yaml
  [ -e "$lock" ] || lock=$here/../../pnpm-lock.yaml
  read -r bazelisk_version bazelisk_integrity < <(sed -nE "/^  '@bazel\/bazelisk@[^(]*':$/{
    N
    s/^.*@([^@']*)':\\n.*integrity: ([^,}]*).*$/\\1 \\2/p
  }" "$lock" 2>>"$log") || {
    reasons+=("${lock##*/} names no @bazel/bazelisk")
    return 1
  }
}

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
  local system machine partial folder file reason
  if ! command -v npm >/dev/null; then
    reasons+=("npm is not installed")
    return 1
  fi
  releases_reachable || return 1
  read_lock || return 1
  system=$(uname -s | tr '[:upper:]' '[:lower:]')
  machine=$(uname -m)
  case $machine in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; esac
  # Each installation has a folder of its own, whole from the moment that it has its name: several tools/bazel at once disturb none.
  file=node_modules/@bazel/bazelisk/bazelisk-${system}_$machine
  for program in "$state/bazelisk-$bazelisk_version".*/"$file"; do
    [ ! -x "$program" ] || break
  done
  if [ ! -x "$program" ]; then
    busy "npm is installing bazelisk $bazelisk_version"
    partial=$(mktemp -d "$state/bazelisk.XXXXXX")
    # npm checks the digest of what a lock names.
    printf '{"private": true, "dependencies": {"@bazel/bazelisk": "%s"}}\n' "$bazelisk_version" >"$partial/package.json"
    printf '{"lockfileVersion": 3, "packages": {"": {"dependencies": {"@bazel/bazelisk": "%s"}}, "node_modules/@bazel/bazelisk": {"version": "%s", "integrity": "%s"}}}\n' \
      "$bazelisk_version" "$bazelisk_version" "$bazelisk_integrity" >"$partial/package-lock.json"
    if ! npm ci --prefix "$partial" --ignore-scripts --no-audit --no-fund --loglevel=error \
      --fetch-retries=1 --fetch-retry-mintimeout=1000 >"$log" 2>&1; then
      rm -rf "$partial"
      reasons+=("npm cannot install bazelisk: $(grep -v 'complete log' "$log" | tail -n 1)")
      return 1
    fi
    folder=$state/bazelisk-$bazelisk_version.${partial##*.}
    mv "$partial" "$folder"
    program=$folder/$file
  fi
  busy "bazelisk is downloading Bazel $wanted"
  if ! version=$(ask_version "$program"); then
    reason=$(last_line "$log")
    reasons+=("bazelisk cannot get Bazel $wanted: ${reason##*Most recent failure: }")
    return 1
  fi
}
