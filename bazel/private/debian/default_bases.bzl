"""The base images that Slipway brings."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Node for whatever runs in the image besides a program's own, and the folder that Sematic's workers write to.
_WORKER = {
    "env": {"PATH": "/sematic/bin:" + _PATH},
    "layers": [Label("//bazel/private/image:node_layer"), Label(":worker_layer")],
}

# What NVIDIA's container runtime reads: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html
_NVIDIA = {
    "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
    "NVIDIA_REQUIRE_CUDA": "cuda>=11.8",
    "NVIDIA_VISIBLE_DEVICES": "all",
}

def _base(name, env = {}, layers = []):
    return struct(
        locks = {Label(":{}_{}.lock".format(name, architecture)): architecture for architecture in ["amd64", "arm64"]},
        env = env,
        layers = layers,
    )

# Name to what `debian_image` takes.
DEFAULT_BASES = {
    "slim_base": _base("slim_base"),
    "worker_base": _base("worker_base", **_WORKER),
    "worker_cuda": _base("worker_cuda", env = _WORKER["env"] | _NVIDIA, layers = _WORKER["layers"]),
}
