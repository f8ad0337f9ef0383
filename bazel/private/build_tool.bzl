"""Actions of the build tool, which makes layers, manifests and layouts."""

# A toolchain, because Bazel resolves it once for all rules. An attribute in the exec configuration would be a transition for each target. A Label,
# because Bazel parses a string at each use.
BUILD_TOOL_TOOLCHAIN = Label("//bazel/toolchains:build_tool_type")

def _build_tool_toolchain_impl(ctx):
    return [platform_common.ToolchainInfo(slipway_build_tool = ctx.attr.tool[DefaultInfo].files_to_run)]

build_tool_toolchain = rule(
    implementation = _build_tool_toolchain_impl,
    doc = "The tool that makes layers, manifests and layouts, for the execution platform.",
    attrs = {
        "tool": attr.label(mandatory = True, executable = True, cfg = "exec", doc = "The build tool."),
    },
)

def build_tool_args(ctx, command):
    """Arguments of the build tool: a param file with the command, then one option or JSON entry per line.

    Args:
      ctx: the rule context.
      command: string, the tool's command.

    Returns:
      Args.
    """
    args = ctx.actions.args()
    args.set_param_file_format("multiline")
    args.use_param_file("@%s", use_always = True)
    args.add(command)
    return args

def run_build_tool(ctx, args, inputs, outputs, mnemonic, progress_message):
    """Declares an action of the build tool, with a persistent worker if Bazel allows one.

    Args:
      ctx: the rule context, with BUILD_TOOL_TOOLCHAIN.
      args: Args, from build_tool_args.
      inputs: list or depset of Files.
      outputs: list of Files.
      mnemonic: string.
      progress_message: string.
    """
    ctx.actions.run(
        executable = ctx.toolchains[BUILD_TOOL_TOOLCHAIN].slipway_build_tool,
        toolchain = BUILD_TOOL_TOOLCHAIN,
        arguments = [args],
        inputs = inputs,
        outputs = outputs,
        mnemonic = mnemonic,
        progress_message = progress_message,
        execution_requirements = worker_requirements("SlipwayBuild"),
    )

def worker_requirements(key):
    """The execution requirements of an action with a persistent worker.

    Args:
      key: string: actions with the same key share a worker process.

    Returns:
      dict.
    """
    return {
        "requires-worker-protocol": "json",
        "supports-multiplex-sandboxing": "1",
        "supports-multiplex-workers": "1",
        "supports-worker-cancellation": "1",
        "supports-workers": "1",
        "worker-key-mnemonic": key,
    }
