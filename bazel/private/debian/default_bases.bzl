"""The base images that Slipway brings."""

# Name to locks by architecture. MODULE.bazel, which cannot load this, says the same.
DEFAULT_BASES = {
    name: {Label(":{}_{}.lock".format(name, architecture)): architecture for architecture in ["amd64", "arm64"]}
    for name in ["slim_base", "worker_base"]
}
