# shellcheck shell=bash
# Debian packages by the machine's own apt with a private state: apt resolves, downloads, resumes, and verifies by signed metadata.

# Asked for by name; apt finds the rest. Debian's Bazel forgot to depend on libblake3-0, without which its native library does not load.
packages=(bazel-bootstrap default-jre-headless bazel-rules-shell libblake3-0 patchelf)

# Dependencies that a Bazel without C++ and Java toolchains never uses. apt is told that they are installed.
unused_packages=(
  build-essential default-jdk-headless python3 unzip zlib1g-dev protobuf-compiler-grpc-java-plugin
  libjs-jquery node-core-js node-html5shiv
  ca-certificates ca-certificates-java java-common debconf debconf-2.0 util-linux openssl-provider-legacy
  liblcms2-2 libjpeg62-turbo libnss3 libpcsclite1
  junit4 libasm-java libbsh-java libchecker-framework-java libcommons-codec-java libcommons-logging-java libeclipse-jdt-core-java
  libeclipse-jdt-core-compiler-batch-java libhttpclient-java libjackson2-core-java libjacoco-java libjarjar-java libjavaparser-java
  libjaxb-api-java libjgit-java libmaven-enforcer-plugin-java libmaven-resolver-java libmaven3-core-java libopencensus-java
  libproguard-java libslf4j-java libtomcat9-java libtruth-java
)

# Mirrors of Debian that the machine's apt sources name, one a line.
mirrors() {
  local codename
  codename=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>>"$log" |
    awk -v own="$codename" '$2 == "main" && ($1 == own || $1 ~ /^(stable|oldstable|testing|unstable|sid)$/) { sub(/\/$/, "", $3); print $3 }' |
    awk '!seen[$0]++'
}

# write_apt_configuration FOLDER: the machine's way to the network (proxies, certificates), and nothing else of its configuration: hooks of
# apt would touch the system. Its proxy may hold a password.
write_apt_configuration() {
  local folder=$1 name
  mkdir -p "$folder"/{lists/partial,cache,sources,empty,none/partial} "$state/debs/partial"
  chmod 700 "$folder"
  for name in "${unused_packages[@]}"; do
    printf 'Package: %s\nStatus: install ok installed\nVersion: 9999:0\nArchitecture: all\nMulti-Arch: foreign\n' "$name"
    printf 'Maintainer: nobody\nDescription: not used\n\n'
  done >"$folder/status"
  (
    umask 077
    {
      apt-config dump | grep -E '^Acquire::' | grep -vE '^Acquire::(IndexTargets|Languages|GzipIndexes|Changelogs|PDiffs)' || :
      cat <<S
Dir "/";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "$folder/empty";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$folder/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$folder/empty";
Dir::State "$folder";
Dir::State::lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
Dir::Cache::archives "$state/debs";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "2";
APT::Sandbox::User "";
APT::Install-Recommends "false";
S
    } >"$folder/apt.conf"
  )
}

# write_source FOLDER MIRROR
write_source() {
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  {
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nTargets: Packages\n' "$2" "$suite"
    if [ -e "$keyring" ]; then printf 'Signed-By: %s\n' "$keyring"; fi
  } >"$1/sources/debian.sources"
}

# update_lists FOLDER: signed metadata of the suite from the first mirror that has it.
update_lists() {
  local found mirror
  mapfile -t found < <(mirrors)
  [ "${#found[@]}" -gt 0 ] || fail 2 "Bazel $wanted cannot be had on this machine ($(why); apt's sources name no Debian mirror)." \
    "Name a mirror in /etc/apt/sources.list.d, or put bazelisk or Bazel $wanted on PATH."
  write_apt_configuration "$1"
  export APT_CONFIG=$1/apt.conf
  for mirror in "${found[@]}"; do
    write_source "$1" "$mirror"
    # A download that fails is only a warning to apt-get update.
    if apt-get -qq -o APT::Update::Error-Mode=any update >"$log" 2>&1; then return 0; fi
  done
  fail 1 "Bazel $wanted cannot be had on this machine ($(why); apt cannot read $suite: $(last_line "$log" '^[EW]:'))." \
    "Check the network and $mirror, or put bazelisk or Bazel $wanted on PATH."
}

# Fills $state/debs and leaves the names of the files in `debs`.
fetch_packages() {
  local bytes kept=
  busy "reading the list of Debian's packages"
  update_lists "$state/apt"
  acceptable "$(apt-cache policy bazel-bootstrap | sed -n 's/^ *Candidate: *\([0-9.]*\).*/\1/p')"
  # Without the packages that an interrupted installation left, which it would not print.
  if ! apt-get -qq -y -o Dir::Cache::archives="$state/apt/none" -o Acquire::ForceHash=SHA256 --print-uris install "${packages[@]}" >"$state/apt/uris" 2>"$log"; then
    fail 1 "apt cannot resolve Debian's Bazel: $(last_line "$log")." "Try again later: $suite may be in a transition."
  fi
  mapfile -t debs < <(awk '{ print $2 }' "$state/apt/uris")
  bytes=$(awk '{ sum += $3 } END { printf "%d", sum / 1000000 }' "$state/apt/uris")
  discard_damaged
  idle
  say "installing Debian's Bazel in $state: ${#debs[@]} packages, $bytes MB${kept:+, of which $kept are here}, this once."
  busy "downloading" downloaded "$bytes"
  if ! apt-get -qq -y --download-only install "${packages[@]}" >"$log" 2>&1; then
    fail 1 "Debian's packages cannot be downloaded: $(last_line "$log" '^E:')" \
      "Check the network and the free space in $state, and run the command again: what was downloaded is kept."
  fi
}

# downloaded MB: how much of it is there.
downloaded() { printf '%s of %s MB' "$(du -sm --apparent-size "$state/debs" | cut -f 1)" "$1"; }

# apt takes a complete file of the right size for what it should be. Counts what is whole in `kept`.
discard_damaged() {
  local name digest
  while read -r _ name _ digest; do
    [ -e "$state/debs/$name" ] || continue
    if sha256sum --status -c <<<"${digest#SHA256:}  $state/debs/$name"; then
      kept=$((${kept:-0} + 1))
    else
      rm -f "$state/debs/$name"
    fi
  done <"$state/apt/uris"
}

# unpack FOLDER: without what only people read.
unpack() {
  mkdir -p "$1"
  if ! printf '%s\0' "${debs[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -o pipefail -c \
    'dpkg-deb --fsys-tarfile "$1/$2" | tar -x --no-same-owner -C "$0" --exclude=./usr/share/{doc,man,locale,lintian,maven-repo}' \
    "$1" "$state/debs" 2>"$log"; then
    fail 1 "Debian's packages cannot be unpacked: $(last_line "$log")." "Check the free space in $state, and run the command again."
  fi
}
