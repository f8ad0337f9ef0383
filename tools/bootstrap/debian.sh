# shellcheck shell=bash
# Debian's Bazel, unpacked into the cache folder and relocated: for machines that reach a Debian mirror and no release server.
# Nothing outside the cache folder is written, and no root is needed.

suite=forky # the oldest suite whose Bazel is recent enough

# A new installation gets a folder of its own, because a running server uses the files of the old one; the link `debian` names the one
# to use. Sets `program`, `home` and `version`, or ends the script.
bazel_from_debian() {
  local tool
  for tool in apt-get dpkg-deb flock xargs; do
    command -v "$tool" >/dev/null || fail 1 "Bazel $wanted cannot be had on this machine ($(why); $tool is not installed)." \
      "Install bazelisk or Bazel $wanted and put it on PATH."
  done
  # Bazel itself would fail, after all that follows.
  case $PWD$state in
    *[!\ -~]*) fail 2 "Debian's Bazel works only in folders whose paths are plain ASCII, unlike $PWD with the cache folder $state." \
      "Move the one that is not, or put bazelisk or Bazel $wanted on PATH ($(why))." ;;
  esac
  if [ -e /etc/ssl/certs/ca-certificates.crt ] && ! command -v node >/dev/null; then
    fail 1 "Bazel $wanted cannot be had on this machine ($(why); Debian's needs Node.js, and node is not installed)." \
      "Install it (\`apt-get install nodejs npm\`), or put bazelisk or Bazel $wanted on PATH."
  fi
  lock_state
  if installed; then
    acceptable "$version"
    return 0
  fi
  remove_leftovers
  require_space
  fetch_packages
  busy "unpacking ${#debs[@]} packages"
  home=$(mktemp -d "$state/debian-XXXXXX")
  chmod 755 "$home"
  unpack "$home/root"
  busy "making Debian's Bazel run from $home"
  relocate "$home/root"
  write_bazelrc
  bash "$here/module_registry.sh" "$home"
  program=$home/root/usr/bin/bazel
  read -r version <"$home/root/usr/share/bazel/build-label.txt"
  sync -f "$home" 2>/dev/null || :
  touch "$home/complete"
  ln -sfn "${home##*/}" "$state/debian.new"
  mv -fT "$state/debian.new" "$state/debian"
  rm -rf "$state/debs" "$state/apt"
}

# One installs at a time; whoever comes second waits. The lock goes with the process, however it ends.
lock_state() {
  exec 9>>"$state/lock"
  if ! flock -w 1 9; then
    say "another tools/bazel is installing Bazel in $state; waiting for it."
    busy "waiting"
    flock 9
    idle
  fi
}

# Whether the current installation is whole. Sets `program`, `home` and `version`.
installed() {
  [ -e "$state/debian/complete" ] || return 1
  home=$(readlink -f "$state/debian")
  program=$home/root/usr/bin/bazel
  [ -x "$program" ] && read -r version <"$home/root/usr/share/bazel/build-label.txt" || return 1
  local changed
  changed=$(find "$home/root" "$home/bazelrc" -newer "$home/complete" -print -quit 2>&1)
  if [ -n "$changed" ]; then
    say "the Bazel in $home is damaged (${changed#"$home"/}); installing it again."
    return 1
  fi
  # The registry is cheap to make, and is left unfinished when whoever completed it was killed.
  if [ -n "$(find "$home/registry" -newer "$home/complete" -print -quit 2>&1)" ]; then
    rm -f "$home/registry/made_by"
    bash "$here/module_registry.sh" "$home"
  fi
}

# Interrupted and damaged installations, except those that a running server was started from. Packages already downloaded stay.
remove_leftovers() {
  local folder
  for folder in "$state"/debian-*; do
    if [ -d "$folder" ] && ! grep -qsF "$folder/" /proc/[0-9]*/cmdline; then rm -rf "$folder"; fi
  done
  rm -f "$state/debian"
}

# What lists, packages and their contents take together at most, less what is there already.
require_space() {
  local free needed
  free=$(df -Pm "$state" | awk 'NR == 2 { print $4 }')
  needed=$((700 - $(du -sm "$state" | cut -f 1)))
  [ "$free" -ge "$needed" ] || fail 1 "installing Debian's Bazel needs $needed MB more in $state, where $free MB are free ($(why))." \
    "Free some space, or let XDG_CACHE_HOME name a folder on another disk."
}

# acceptable VERSION: ends the script unless this workspace can be built by it.
acceptable() {
  satisfies "$1" "$wanted" || satisfies "$1" "${wanted%%.*}.x" ||
    fail 1 "Bazel $wanted cannot be had on this machine ($(why); Debian's is $1)." \
      "Put Bazel $wanted or bazelisk on PATH, or set USE_BAZEL_VERSION=$1 to try Debian's."
  [ "$1" = "$wanted" ] || satisfies "$1" "$wanted" || reasons+=("Debian has no $wanted")
}

# Repositories that Bazel 7 fetches in WORKSPACE mode, and what stands in for them. With modules their names match nothing.
workspace_repositories() {
  local share=$home/root/usr/share/bazel name
  printf '%s\n' "bazel_skylib=$share/tools/skylib" "bazel_features=$share/tools/features"
  for name in cc java license proto python shell; do
    printf '%s\n' "rules_$name=$share/rules/$name"
  done
  printf '%s\n' "build_bazel_apple_support=$home/registry/stub" "com_google_protobuf=$home/registry/stub"
}

write_bazelrc() {
  local java
  java=$(java_home "$home/root")
  {
    echo "startup '--install_base=$home/root/usr/share/bazel' --trust_install_base"
    echo "startup '--server_javabase=$java'"
    echo "startup '--host_jvm_args=-Djavax.net.ssl.trustStore=$home/truststore'"
    echo "common '--registry=file://${home// /%20}/registry' --lockfile_mode=off"
    # Bazel's sandbox shows of /tmp what it knows to be part of the build.
    case $home in /tmp/*) echo "common '--sandbox_add_mount_pair=$home'" ;; esac
    workspace_repositories | sed "s/.*/common '--override_repository=&'/"
  } >"$home/bazelrc"
}
