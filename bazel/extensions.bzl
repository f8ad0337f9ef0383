"""Module extensions for base images, npm packages, Python packages and Slipway's own tools."""

load("//bazel/private/extensions:base_images.bzl", _base_images = "base_images")
load("//bazel/private/extensions:npm.bzl", _npm = "npm")
load("//bazel/private/extensions:python.bzl", _python = "python")
load("//bazel/private/extensions:toolchains.bzl", _toolchains = "toolchains")

base_images = _base_images
npm = _npm
python = _python
toolchains = _toolchains
