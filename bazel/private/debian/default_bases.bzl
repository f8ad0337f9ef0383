"""Slipway's default base images."""

load(":debian_repository.bzl", "debian_image", "debian_variant")

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

def _base(lock, env = {}, layers = [], variant_of = None):
    return struct(
        locks = {Label(":{}_{}.lock".format(lock, architecture)): architecture for architecture in ["amd64", "arm64"]},
        env = env,
        layers = layers,
        variant_of = variant_of,
    )

# Name to the arguments of `debian_image`. A variant shares the layers of another base with the same lock.
DEFAULT_BASES = {
    "sematic_base": _base("worker_base", variant_of = "worker_base", **_SEMATIC),
    "sematic_cuda": _base("worker_cuda", variant_of = "worker_cuda", env = _SEMATIC["env"] | _NVIDIA, layers = _SEMATIC["layers"]),
    "slim_base": _base("slim_base"),
    "worker_base": _base("worker_base"),
    "worker_cuda": _base("worker_cuda", env = _NVIDIA),
}

def declare_default_bases(declared = [], **kwargs):
    """Declares the repositories of the default bases.

    Debian's archive of all versions has the pinned packages. A machine that cannot reach it takes newer packages as a last resort.

    Args:
      declared: collection of names that are already declared, and that these bases do not replace.
      **kwargs: attributes of debian_image.
    """
    for name, base in DEFAULT_BASES.items():
        if name in declared:
            continue
        common = {"env": base.env, "layers": base.layers}
        if base.variant_of and base.variant_of not in declared:
            debian_variant(name = name, of = base.variant_of, architectures = base.locks.values(), **common)
        else:
            debian_image(name = name, locks = base.locks, allow_newer = True, **(common | kwargs))
