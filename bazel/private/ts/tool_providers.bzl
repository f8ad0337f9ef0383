"""The executable and providers of a tool, built from source or prebuilt."""

load("//bazel/private:runfiles.bzl", "launcher_script", "runfiles_path")
load("//bazel/private/node:node_toolchain.bzl", "NODE_TOOL_TOOLCHAIN")
load(":ts_tool_info.bzl", "TsToolInfo")

# Node prints an experimental warning for `process.execve`, with which the launcher starts the program.
NODE_TOOL_FLAGS = [
    "--disable-warning=ExperimentalWarning",
    # Streamed chunks become garbage at once, and a small semi-space frees them early. Streaming a 3 GiB blob between two registries takes
    # 130 MB instead of 200 MB, and 10 % less time. It does not slow down layers.
    "--max-semi-space-size=1",
]

def tool_providers(ctx, main, entry = "", chunks = []):
    """The executable and the providers of a tool.

    Args:
      ctx: the rule context, with the attributes `data` and `siblings`, and the toolchain that runs tools.
      main: File: the module that starts; for a split bundle, its folder.
      entry: string: path of the module below `main`; empty if `main` is the module.
      chunks: list of Files that `main` imports.

    Returns:
      list of providers.
    """
    node = ctx.toolchains[NODE_TOOL_TOOLCHAIN].slipway_node.node
    siblings = [target[TsToolInfo].main for target in ctx.attr.siblings]
    script = ctx.actions.declare_file(ctx.label.name)
    module = runfiles_path(ctx, main) + ("/" + entry if entry else "")
    ctx.actions.write(
        script,
        launcher_script(["{runfiles}/" + runfiles_path(ctx, node)] + NODE_TOOL_FLAGS + ["{runfiles}/" + module]),
        is_executable = True,
    )
    runfiles = ctx.runfiles(
        [main, node] + siblings + chunks,
        transitive_files = depset(transitive = [target[DefaultInfo].files for target in ctx.attr.data]),
    )
    return [
        DefaultInfo(executable = script, files = depset([script, main] + chunks), runfiles = runfiles),
        TsToolInfo(main = main, entry = entry, node = node, siblings = siblings),
        OutputGroupInfo(bundle = depset([main])),
    ]
