# Where the test cluster's parts are; sourced by the scripts beside it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME-}/.cache}/slipway-cluster
# What is built from other sources is another binary: machines that build several versions of this repository keep one of each.
built=$cache/$(cat "$here"/kube/go.sum "$here"/kube/main.go "$here"/images.py | sha256sum | cut -c1-16)

# In the background, under a name that `stop` ends it by.
run() {
  local name=$1
  shift
  setsid "$@" >>"$folder/log/$name.log" 2>&1 </dev/null &
  # A number that another process has by then is not to be ended: what it is, is written down too.
  echo "$name $! $(cut -d ' ' -f 22 "/proc/$!/stat")" >>"$folder/processes"
}
