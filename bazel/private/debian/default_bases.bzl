"""Slipway's default base images."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Sematic's workers write to /sematic/bin.
_SEMATIC = {
    "env": {"PATH": "/sematic/bin:" + _PATH},
    "layers": [Label(":sematic_layer")],
}

# NVIDIA's container runtime reads these variables: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html
_NVIDIA = {
    "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
    "NVIDIA_REQUIRE_CUDA": "cuda>=11.8",
    "NVIDIA_VISIBLE_DEVICES": "all",
}

def _base(lock, env = {}, layers = []):
    return struct(
        locks = {Label(":{}_{}.lock".format(lock, architecture)): architecture for architecture in ["amd64", "arm64"]},
        env = env,
        layers = layers,
    )

# Name to the arguments of `debian_image`.
DEFAULT_BASES = {
    "sematic_base": _base("worker_base", **_SEMATIC),
    "sematic_cuda": _base("worker_cuda", env = _SEMATIC["env"] | _NVIDIA, layers = _SEMATIC["layers"]),
    "slim_base": _base("slim_base"),
    "worker_base": _base("worker_base"),
    "worker_cuda": _base("worker_cuda", env = _NVIDIA),
}
