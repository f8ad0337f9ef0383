# shellcheck shell=bash
# Makes unpacked packages run from where they are, with the libc and the libraries among them.

# relocate ROOT
relocate() {
  local root=$1 libraries loader java
  loader=$(echo "$root"/usr/lib/*-linux-*/ld-linux*.so.*)
  libraries=${loader%/*}
  java=$(java_home "$root")
  relink "$root"
  patch_elf "$root" "$libraries" "$root/usr/bin/bazel" "$root"/usr/libexec/*/bazel/*
  patch_elf "$root" "$java/lib:$java/lib/server:$libraries" "$java/bin/java" "$java/lib/jspawnhelper"
  close_class_path "$root"
  prune "$root" "$java"
  check_libraries "$loader" "$root/usr/bin/bazel" "$java/bin/java"
}

# java_home ROOT: the folder itself, beside which links lie.
java_home() { find "$1/usr/lib/jvm" -mindepth 1 -maxdepth 1 -type d -print -quit; }

# Absolute links lead out of the tree.
relink() {
  local link target
  while IFS= read -r link; do
    target=$1$(readlink "$link")
    if [ -e "$target" ]; then ln -sfn "$(realpath -ms --relative-to="${link%/*}" "$target")" "$link"; fi
  done < <(find "$1" -type l -lname '/*')
}

# patch_elf ROOT SEARCH_PATH FILE…: other programs start these, so they must name their interpreter. A forced rpath holds for the libraries
# that they load, too.
patch_elf() {
  local root=$1 search=$2
  shift 2
  "$loader" --library-path "$libraries" "$root/usr/bin/patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$search" "$@" ||
    fail 1 "$root/usr/bin/patchelf does not work on this machine." "Put bazelisk or Bazel $wanted on PATH."
}

# Bazel lists its jars with absolute paths, and relies on their manifests for those that these need in turn; with a list that is
# incomplete the server starts and never answers.
close_class_path() {
  local root=$1 list=$1/usr/share/bazel/bazel_classpath_debian_depends.txt jar name
  local zipper queue=() next=0
  local -A known=()
  zipper=$(echo "$root"/usr/libexec/*/bazel/zipper)
  mapfile -t queue < <(sed "s|^|$root|" "$list")
  while [ "$next" -lt "${#queue[@]}" ]; do
    jar=${queue[next]}
    next=$((next + 1))
    # Some are optional, and not packaged.
    jar=$(readlink -e "$jar") || continue
    [ -z "${known[$jar]:-}" ] || continue
    known[$jar]=$next
    for name in $(manifest_class_path "$zipper" "$jar"); do
      queue+=("$root/usr/share/java/${name##*/}")
    done
  done
  for jar in "${!known[@]}"; do printf '%s %s\n' "${known[$jar]}" "$jar"; done | sort -n | cut -d ' ' -f 2- >"$list.new"
  mv "$list.new" "$list"
}

# manifest_class_path ZIPPER JAR: the jars that the manifest names. Long lines are folded.
manifest_class_path() {
  local folder
  folder=$(mktemp -d)
  (cd "$folder" && "$1" x "$2" META-INF/MANIFEST.MF >/dev/null 2>&1) || :
  if [ -e "$folder/META-INF/MANIFEST.MF" ]; then
    tr -d '\r' <"$folder/META-INF/MANIFEST.MF" | awk '
      /^ / { line = line substr($0, 2); next }
      { if (line ~ /^Class-Path:/) print substr(line, 12); line = $0 }
      END { if (line ~ /^Class-Path:/) print substr(line, 12) }'
  fi
  rm -rf "$folder"
}

# prune ROOT JAVA: what nothing loads would only be looked at, at every start.
prune() {
  local root=$1 java=$2 list=$1/usr/share/bazel/bazel_classpath_debian_depends.txt
  find "$root/usr/share/java" -type l -delete
  find "$root/usr/share/java" -type f | grep -vxFf "$list" | tr '\n' '\0' | xargs -0r rm -f
  find "$root/usr/share" -mindepth 1 -maxdepth 1 ! -name bazel ! -name java -exec rm -rf {} +
  find "$root/usr/lib" -mindepth 1 -maxdepth 1 ! -name '*-linux-*' ! -name jvm ! -name "${loader##*/}" -exec rm -rf {} +
  rm -rf "$root"/usr/{bin/patchelf,include,sbin} "$root/var" "$java"/{legal,man,docs} "$libraries"/gconv
  rm -rf "$root"/usr/share/bazel/tools/skylib/tests
  find "$root" -xtype l -delete
}

# check_libraries LOADER PROGRAM…
check_libraries() {
  local loader=$1 program missing
  shift
  for program; do
    missing=$("$loader" --list "$program" 2>&1 | grep -m 1 'not found') || continue
    fail 1 "Debian's Bazel lacks a library on this machine: ${program##*/} needs ${missing%% =>*}." "Put bazelisk or Bazel $wanted on PATH."
  done
}
