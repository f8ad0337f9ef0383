"""What the default bases are declared with, and what they share with programs."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts", "unittest")
load("//bazel:defs.bzl", "ImageInfo")
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

def _shared_layers_impl(ctx):
    env = analysistest.begin(ctx)
    blobs = [layer.blob for layer in analysistest.target_under_test(env)[ImageInfo].layers]
    shared = [file for file in ctx.files.node_layer if file in blobs]
    asserts.equals(env, ["node_layer.tar.gz"], [file.basename for file in shared], "Node's layer is made once for the base and for programs")
    return analysistest.end(env)

shared_layers_test = analysistest.make(
    _shared_layers_impl,
    attrs = {"node_layer": attr.label(default = "//bazel/private/image:node_layer", doc = "The layer with Node of programs.")},
)
