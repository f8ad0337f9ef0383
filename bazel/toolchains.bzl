"""Declares your own Node for Slipway's tools or for programs."""

load("//bazel/private/node:node_info.bzl", _NodeInfo = "NodeInfo")
load("//bazel/private/node:node_toolchain.bzl", _node_toolchain = "node_toolchain")

node_toolchain = _node_toolchain
NodeInfo = _NodeInfo
