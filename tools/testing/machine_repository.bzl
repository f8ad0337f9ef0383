"""Detects the optional parts of this machine that some tests need."""

# Part to the command that succeeds if the part works.
_PARTS = {
    "cc": "command -v g++ || command -v clang++",
    "podman": "podman info",
    "root": "test \"$(id -u)\" = 0",
    "namespaces": "unshare --user --map-user=4242 --map-group=4242 true && unshare --user --map-root-user --net ip link set lo up",
    "skopeo": "skopeo --version",
    "openssl": "openssl version",
    "cosign": "cosign version",
    "cosign2": "cosign2 version",
    "crane": "crane version",
    "docker_registry": "command -v docker-registry",
    "oras": "oras version",
    "regctl": "regctl version",
    "bsdtar": "bsdtar --version",
    "npm": "npm --version",
    "chromium": "chromium --version",
    "python": "python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'",
    "venv": "python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'",
    # With pip, which downloads packages for this version.
    "python_3_11": "python3 -m pip --version && { command -v python3.11 || python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; }",
    "docker": "docker --version",
    # Tests start their own daemon, with its own bridge.
    "dockerd": "test \"$(id -u)\" = 0 && docker --version && dockerd --version && ip link add slwprobe type bridge && ip link delete slwprobe",
    "conda": "micromamba --version || mamba --version || conda --version",
    "git_http": "test -x \"$(git --exec-path)/git-http-backend\"",
    "moto": "moto_server --help",
    "pyspdxtools": "pyspdxtools --help",
    "sshd": "test -x /usr/sbin/sshd && command -v ssh-agent",
    "trivy": "trivy --version",
    "umoci": "umoci --version",
    # What tools/testing/farm/start needs.
    "farm": "ls /usr/lib/postgresql/*/bin/initdb && python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' && " +
            "{ test \"$(id -u)\" != 0 || { id postgres && command -v setpriv; }; }",
    # Only a cluster that the caller names, never the one in the user's own kubeconfig. Its node is this machine, so it reaches the tests' registries.
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
    # Bazel detects the parts again when its server starts, because the machine can change without a change of a file.
    local = True,
    configure = True,
    environ = [
        "KUBECONFIG",
        "PATH",
        "SLIPWAY_TEST_WITHOUT",
    ],
    doc = """The optional parts of this machine: `@NAME//:PART` for `target_compatible_with`. Bazel skips a test whose part is missing.

Each part has its own label, because Bazel refuses `@platforms//:incompatible` twice in a list, and a test can miss several parts.
To hide parts, set `SLIPWAY_TEST_WITHOUT` to their names, joined by commas, or to `all`.
""",
)

def _machine_impl(mctx):
    machine_repository(name = "slipway_machine")
    return mctx.extension_metadata(reproducible = True)

machine = module_extension(implementation = _machine_impl)
