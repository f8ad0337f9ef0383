"""Tests of the default bases' declarations."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//bazel:defs.bzl", "ImageInfo")
load("//bazel/private/debian:default_bases.bzl", "DEFAULT_BASES")  # buildifier: disable=bzl-visibility

def _default_bases_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, ["sematic_base", "sematic_cuda", "slim_base", "worker_base", "worker_cuda"], DEFAULT_BASES.keys())
    for name, base in DEFAULT_BASES.items():
        asserts.equals(env, ["amd64", "arm64"], base.locks.values())
        for lock, architecture in base.locks.items():
            asserts.equals(env, "{}_{}.lock".format(name.replace("sematic", "worker"), architecture), lock.name)
    sematic, sematic_cuda, slim, worker, cuda = DEFAULT_BASES.values()
    for base in [slim, worker]:
        asserts.equals(env, ({}, []), (base.env, base.layers))
    asserts.equals(env, ["sematic_layer"], [label.name for label in sematic.layers])
    asserts.true(env, "/sematic/bin" in sematic.env["PATH"].split(":"))
    asserts.equals(env, (sematic.layers, sematic.env | cuda.env), (sematic_cuda.layers, sematic_cuda.env))

    # The format that NVIDIA's container runtime reads.
    asserts.equals(env, "all", cuda.env["NVIDIA_VISIBLE_DEVICES"])
    asserts.equals(env, ["compute", "utility"], cuda.env["NVIDIA_DRIVER_CAPABILITIES"].split(","))
    asserts.equals(env, "cuda>=11.8", cuda.env["NVIDIA_REQUIRE_CUDA"])
    return unittest.end(env)

default_bases_test = unittest.make(_default_bases_impl)

def _shared_layers_impl(ctx):
    env = unittest.begin(ctx)
    worker, sematic = [[layer.blob.path for layer in base[ImageInfo].layers] for base in [ctx.attr.worker, ctx.attr.sematic]]
    asserts.equals(env, worker, sematic[:-1])
    return unittest.end(env)

shared_layers_test = unittest.make(
    _shared_layers_impl,
    attrs = {
        "sematic": attr.label(default = "@sematic_base//image", providers = [ImageInfo]),
        "worker": attr.label(default = "@worker_base//image", providers = [ImageInfo]),
    },
)
