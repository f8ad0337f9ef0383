"""The launcher and its tools, built for the host."""

load("@bazel_skylib//rules:common_settings.bzl", "BuildSettingInfo")
load("//bazel/private:runfiles.bzl", "runfiles_path")
load("//bazel/private/ts:tool_providers.bzl", "NODE_TOOL_FLAGS")
load("//bazel/private/ts:ts_tool_info.bzl", "TsToolInfo")
load(":run_tools_info.bzl", "RunToolsInfo")

def _host_platform_impl(_settings, _attr):
    # An empty list means the host. Naming the host platform would be a second configuration, and Bazel would build everything twice.
    return {"//command_line_option:platforms": []}

# The launcher runs on the host, whatever the target platform is.
host_platform_transition = transition(
    implementation = _host_platform_impl,
    inputs = [],
    outputs = ["//command_line_option:platforms"],
)

_CACHE_SCHEMES = ["grpc", "grpcs", "http", "https"]

def _checked_cache(address):
    """The build setting `remote_cache`. Errors repeat no part of it that can be a password."""
    where = "The build setting @slipway//bazel/settings:remote_cache"
    if not address or address.startswith("/") or address.startswith("~/") or address.startswith("unix:/"):
        return address
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in _CACHE_SCHEMES:
        fail("{} has {}.\nSet it to grpc://HOST, grpcs://HOST, http://HOST, https://HOST, unix:/SOCKET, or the absolute path of a disk cache.".format(
            where,
            "the scheme `{}`, which no remote cache has".format(scheme) if separator else "no scheme, and is no absolute path",
        ))
    host = rest.split("/")[0]
    if "@" in host:
        fail("{} contains a user or a password.\nRemove them from the address, and write them under `remoteCaches` in Slipway's configuration file.".format(where))
    if not host:
        fail("{} names no host after {}://.\nSet it to {}://HOST.".format(where, scheme, scheme))
    return address

def _run_tools_impl(ctx):
    launcher = ctx.attr.launcher[TsToolInfo]
    server = ctx.attr.registry_server[TsToolInfo]
    module = runfiles_path(ctx, launcher.main) + ("/" + launcher.entry if launcher.entry else "")
    helper = ctx.attr.engine_helper[DefaultInfo]
    return [RunToolsInfo(
        command = ["{runfiles}/" + runfiles_path(ctx, launcher.node)] + NODE_TOOL_FLAGS + ["{runfiles}/" + module],
        engine_helper = helper.files_to_run.executable,
        engine_runfiles = ctx.runfiles([helper.files_to_run.executable]).merge(helper.default_runfiles),
        registry_server = server.main,
        files = depset([launcher.main, launcher.node, server.main] + launcher.siblings),
        registry = ctx.attr._registry[BuildSettingInfo].value,
        remote_cache = _checked_cache(ctx.attr._remote_cache[BuildSettingInfo].value),
        stamp = ctx.attr.stamp,
        repository_prefix = ctx.attr._repository_prefix[BuildSettingInfo].value,
    )]

# One target for all run targets, because a transition costs more than a run target itself.
run_tools = rule(
    implementation = _run_tools_impl,
    cfg = host_platform_transition,
    doc = "The launcher, its tools and its build settings, shared by all run targets.",
    attrs = {
        "launcher": attr.label(mandatory = True, providers = [TsToolInfo], doc = "The launcher."),
        "engine_helper": attr.label(mandatory = True, doc = "The program that talks to engines for launch scripts."),
        "registry_server": attr.label(mandatory = True, providers = [TsToolInfo], doc = "The embedded registry."),
        "stamp": attr.bool(doc = "Whether the build is stamped."),
        "_registry": attr.label(default = Label("//bazel/settings:registry"), providers = [BuildSettingInfo]),
        "_remote_cache": attr.label(default = Label("//bazel/settings:remote_cache"), providers = [BuildSettingInfo]),
        "_repository_prefix": attr.label(default = Label("//bazel/settings:repository_prefix"), providers = [BuildSettingInfo]),
        "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
    },
)
