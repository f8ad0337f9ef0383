# Where the test cluster's parts are; sourced by the scripts beside it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/slipway-cluster
# What is built from other sources is another binary: machines that build several versions of this repository keep one of each.
built=$cache/$(cat "$here"/kube/go.sum "$here"/kube/main.go "$here"/images.py | sha256sum | cut -c1-16)
