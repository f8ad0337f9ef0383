"""What the default bases are declared with."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//bazel/private/debian:default_bases.bzl", "DEFAULT_BASES")  # buildifier: disable=bzl-visibility

def _default_bases_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, ["slim_base", "worker_base", "worker_cuda"], DEFAULT_BASES.keys())
    for name, base in DEFAULT_BASES.items():
        asserts.equals(env, ["amd64", "arm64"], base.locks.values())
        for lock, architecture in base.locks.items():
            asserts.equals(env, "{}_{}.lock".format(name, architecture), lock.name)
    slim, worker, cuda = DEFAULT_BASES.values()
    asserts.equals(env, ({}, []), (slim.env, slim.layers))
    asserts.equals(env, ["node_layer", "worker_layer"], [label.name for label in worker.layers])
    asserts.true(env, "/sematic/bin" in worker.env["PATH"].split(":"))
    asserts.equals(env, worker.layers, cuda.layers)
    for variable, value in worker.env.items():
        asserts.equals(env, value, cuda.env[variable])

    # As NVIDIA's container runtime reads them.
    asserts.equals(env, "all", cuda.env["NVIDIA_VISIBLE_DEVICES"])
    asserts.equals(env, ["compute", "utility"], cuda.env["NVIDIA_DRIVER_CAPABILITIES"].split(","))
    asserts.equals(env, "cuda>=11.8", cuda.env["NVIDIA_REQUIRE_CUDA"])
    return unittest.end(env)

default_bases_test = unittest.make(_default_bases_impl)
