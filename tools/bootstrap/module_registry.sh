#!/usr/bin/env bash
# Completes the file registry from which Debian's Bazel resolves modules: those that Debian ships, at whatever version is asked for.
# usage: module_registry.sh INSTALLATION [MODULE.bazel]
# Layout of a registry: modules/NAME/VERSION/{MODULE.bazel,source.json}, bazel_registry.json.
set -euo pipefail

home=$1 module_file=${2:-}
registry=$home/registry
share=$home/root/usr/share/bazel

# deps NAME: what a module that Debian ships needs, as lines of MODULE.bazel. Toolchains that would be fetched are not registered.
deps() {
  case $1 in
    platforms)
      needs rules_license
      extension //host:extension.bzl host_platform host_platform
      ;;
    bazel_skylib)
      needs platforms rules_license
      # For unit tests of rules; what they run is the machine's own bash.
      echo 'register_toolchains("//toolchains/unittest:bash_toolchain")'
      ;;
    bazel_features)
      needs bazel_skylib
      extension //private:extensions.bzl version_extension bazel_features_globals bazel_features_version
      ;;
    rules_cc)
      needs bazel_skylib platforms
      extension //cc:extensions.bzl cc_configure_extension local_config_cc local_config_cc_toolchains
      ;;
    rules_java) needs bazel_features bazel_skylib platforms rules_cc rules_license rules_proto ;;
    rules_proto) needs bazel_features bazel_skylib rules_license ;;
    rules_python) needs bazel_skylib platforms ;;
    rules_shell)
      needs bazel_features bazel_skylib platforms
      extension //shell/private/extensions:sh_configure.bzl sh_configure local_config_shell
      echo 'register_toolchains("@local_config_shell//:all")'
      ;;
  esac
}

needs() { printf 'bazel_dep(name = "%s", version = "0")\n' "$@"; }

extension() { # FILE SYMBOL REPOSITORY…
  printf '%s = use_extension("%s", "%s")\n' "$2" "$1" "$2"
  printf "use_repo($2"
  printf ', "%s"' "${@:3}"
  printf ')\n'
}

# source_of NAME: the folder of a module that Debian ships.
source_of() {
  case $1 in
    platforms) echo "$share/tools/platforms" ;;
    bazel_skylib) echo "$share/tools/skylib" ;;
    bazel_features) echo "$share/tools/features" ;;
    rules_cc | rules_java | rules_license | rules_proto | rules_python | rules_shell) echo "$share/rules/${1#rules_}" ;;
    buildozer) echo "$registry/buildozer" ;;
    *) return 1 ;;
  esac
}

# put NAME VERSION FOLDER: one entry, whole or not at all.
put() {
  local entry=$registry/modules/$1/$2
  [ ! -e "$entry" ] || [ -n "$outdated" ] || return 0
  mkdir -p "${entry%/*}" "$entry.new"
  {
    [ "$3" != "$registry/stub" ] || echo "# A stub: Bazel's own tools name this module, and nothing loads from it."
    printf 'module(name = "%s", version = "%s")\n' "$1" "$2"
    deps "$1"
  } >"$entry.new/MODULE.bazel"
  printf '{"type": "local_path", "path": "%s"}\n' "$3" >"$entry.new/source.json"
  rm -rf "$entry"
  mv -T "$entry.new" "$entry"
}

# named_in FILE: "NAME VERSION" of every bazel_dep.
named_in() {
  sed 's/#.*//' "$1" | tr '\n' ' ' | grep -oE 'bazel_dep\([^)]*\)' |
    sed -nE 's/.*[(, ]name *= *"([^"]+)".*/\1 &/p' | sed -nE 's/^([^ ]+) .*[(, ]version *= *"([A-Za-z0-9._+-]+)".*/\1 \2/p' || :
}

# An installation outlives changes to this file.
made_by=$(cksum <"${BASH_SOURCE[0]}")
outdated=
[ "$(cat "$registry/made_by" 2>/dev/null)" = "$made_by" ] || outdated=yes

# Whoever installs has the lock already.
if [ -e "$home/complete" ] && ! [ /proc/self/fd/9 -ef "${home%/*}/lock" ]; then
  exec 9>>"${home%/*}/lock"
  flock 9
fi
if [ -n "$outdated" ]; then
  mkdir -p "$registry/stub"
  echo '# A stub: stands for what only a Bazel with a real registry fetches.' >"$registry/stub/BUILD.bazel"
  touch "$registry/stub/WORKSPACE"
  mkdir -p "$registry/buildozer"
  cat >"$registry/buildozer/buildozer_binary.bzl" <<'S'
"""A stub: `bazel mod tidy` runs what this extension fetches; the other commands of `bazel mod` only load it."""

def _fail(_ctx):
    fail("`bazel mod tidy` needs a registry of Bazel modules")

_binary = repository_rule(implementation = _fail)

buildozer_binary = module_extension(implementation = lambda ctx: _binary(name = "buildozer_binary"))
S
  touch "$registry/buildozer/BUILD.bazel" "$registry/buildozer/WORKSPACE"
  echo '{}' >"$registry/bazel_registry.json"
  for name in platforms bazel_skylib bazel_features rules_cc rules_java rules_license rules_proto rules_python rules_shell; do
    put "$name" 0 "$(source_of "$name")"
  done
  # Bazel asks for this one by itself, without a MODULE.bazel that could be read.
  put platforms 0.0.7 "$(source_of platforms)"
  named_in "$share/embedded_tools/MODULE.bazel" | while read -r name version; do
    put "$name" "$version" "$(source_of "$name" || echo "$registry/stub")"
  done
fi
# Its time says when this file was last looked at.
printf '%s\n' "$made_by" >"$registry/made_by"
if [ -n "$module_file" ]; then
  named_in "$module_file" | while read -r name version; do
    if folder=$(source_of "$name"); then put "$name" "$version" "$folder"; fi
  done
  mkdir -p "$(dirname "$home/seen$module_file")"
  touch -r "$module_file" "$home/seen$module_file"
fi
# Later changes to the registry are damage.
if [ -e "$home/complete" ]; then touch "$home/complete"; fi
