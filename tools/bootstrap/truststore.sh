#!/usr/bin/env bash
# Writes a bundle of certificates as a Java key store (JKS), so that Debian's Bazel downloads from whom this machine trusts.
# usage: truststore.sh BUNDLE.pem STORE
set -euo pipefail

bundle=$1 store=$2
temporary=$store.$$
trap 'rm -f "$temporary"' EXIT

bytes() { # HEXADECIMAL
  local hex=$1 text=
  while [ -n "$hex" ]; do
    text+=\\x${hex:0:2}
    hex=${hex:2}
  done
  printf '%b' "$text"
}
u32() { bytes "$(printf '%08x' "$1")"; }
text() {
  bytes "$(printf '%04x' "${#1}")"
  printf '%s' "$1"
}

# An entry: tag 2 (trusted certificate), alias, time in ms, type, bytes.
entry() { # NUMBER BASE64
  local padding=${2##*[!=]}
  u32 2
  text "certificate-$1"
  bytes 0000000000000000
  text X.509
  u32 $((${#2} / 4 * 3 - ${#padding}))
  base64 -d <<<"$2"
}

{
  # Magic, version 2, number of entries.
  bytes feedfeed00000002
  u32 "$(grep -c '^-----BEGIN CERTIFICATE-----' "$bundle" || :)"
  number=0 certificate= inside=
  while IFS= read -r line; do
    line=${line%$'\r'}
    case $line in
      '-----BEGIN CERTIFICATE-----'*) certificate='' inside=1 ;;
      '-----END CERTIFICATE-----'*)
        entry "$number" "$certificate"
        number=$((number + 1)) inside=
        ;;
      *) [ -z "$inside" ] || certificate+=$line ;;
    esac
  done <"$bundle"
} >"$temporary"

# The digest that ends a store takes a password, UTF-16BE, and a constant; it protects nothing here.
digest=$({
  printf '\0c\0h\0a\0n\0g\0e\0i\0tMighty Aphrodite'
  cat "$temporary"
} | sha1sum)
bytes "${digest%% *}" >>"$temporary"
mv -f "$temporary" "$store"
