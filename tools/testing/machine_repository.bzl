"""What this machine has that some tests need."""

# Part to the command that shows that it works here.
_PARTS = {
    "cc": "command -v g++ || command -v clang++",
    "podman": "podman info",
    "root": "test \"$(id -u)\" = 0",
    "namespaces": "unshare --user --map-user=4242 --map-group=4242 true && unshare --user --map-root-user --net ip link set lo up",
    "skopeo": "skopeo --version",
    "openssl": "openssl version",
    "crane": "crane version",
    "docker_registry": "command -v docker-registry",
    "bsdtar": "bsdtar --version",
    "chromium": "chromium --version",
    "python": "python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'",
    "venv": "python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'",
    # With pip, for packages that are for this version.
    "python_3_11": "python3 -m pip --version && { command -v python3.11 || python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; }",
    "docker": "docker --version",
    # Tests start it themselves, with a bridge of its own.
    "dockerd": "test \"$(id -u)\" = 0 && docker --version && dockerd --version && ip link add slwprobe type bridge && ip link delete slwprobe",
    "conda": "micromamba --version || mamba --version || conda --version",
    "git_http": "test -x \"$(git --exec-path)/git-http-backend\"",
    "moto": "moto_server --help",
    "sshd": "test -x /usr/sbin/sshd && command -v ssh-agent",
    "umoci": "umoci --version",
    # One that the caller names, never the one of a user's own kubeconfig; its node is this machine, so that it reaches the registries of tests.
    "kubernetes": "test -n \"$KUBECONFIG\" && kubectl --request-timeout=10s get nodes --output=name | grep -qx -e node/localhost -e \"node/$(hostname)\"",
}

# A constraint that every platform satisfies.
_TARGETS = """package(default_visibility = ["//visibility:public"])

constraint_setting(
    name = "machine",
    default_constraint_value = ":here",
)

constraint_value(
    name = "here",
    constraint_setting = ":machine",
)
"""

def _machine_repository_impl(rctx):
    hidden = [part for part in rctx.os.environ.get("SLIPWAY_TEST_WITHOUT", "").split(",") if part]
    for part in hidden:
        if part != "all" and part not in _PARTS:
            fail("SLIPWAY_TEST_WITHOUT names {}, which is no part.\nThe parts are {}, and `all`.".format(part, ", ".join(_PARTS)))
    targets = [_TARGETS]
    for part, command in _PARTS.items():
        found = "all" not in hidden and part not in hidden and rctx.execute(["sh", "-c", command], timeout = 60).return_code == 0
        targets.append("alias(name = {}, actual = {})\n".format(repr(part), repr(":here" if found else "@platforms//:incompatible")))
    rctx.file("BUILD.bazel", "\n".join(targets))

machine_repository = repository_rule(
    implementation = _machine_repository_impl,
    # Detected again whenever Bazel's server starts: what the machine has changes without any file here changing.
    local = True,
    configure = True,
    environ = [
        "KUBECONFIG",
        "PATH",
        "SLIPWAY_TEST_WITHOUT",
    ],
    doc = """The optional parts of this machine: `@NAME//:PART` for `target_compatible_with`. Bazel reports a test whose part is missing as SKIPPED.

Every part has a label of its own, so that a test may need several missing ones: Bazel refuses a list that names `@platforms//:incompatible` twice.
`SLIPWAY_TEST_WITHOUT`, parts joined by commas or `all`, hides parts from the detection.
""",
)

def _machine_impl(mctx):
    machine_repository(name = "slipway_machine")
    return mctx.extension_metadata(reproducible = True)

machine = module_extension(implementation = _machine_impl)
