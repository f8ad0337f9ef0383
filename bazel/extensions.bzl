"""Module extensions: the Node toolchains, npm packages, base images."""

load("//bazel/private/extensions:npm.bzl", _npm = "npm")
load("//bazel/private/extensions:toolchains.bzl", _toolchains = "toolchains")

npm = _npm
toolchains = _toolchains
