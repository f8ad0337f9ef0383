"""The tool that compiles Python modules."""

load("//bazel/private:build_tool.bzl", "worker_requirements")
load("//bazel/private:runfiles.bzl", "launcher_script", "runfiles_path")
load("//bazel/private/ts:tool_providers.bzl", "NODE_TOOL_FLAGS")
load("//bazel/private/ts:ts_tool_info.bzl", "TsToolInfo")

# The Python version of the default bases.
COMPILED_PYTHON_VERSION = "3.11"

PYTHON_COMPILER_ATTRS = {
    "_python_compiler": attr.label(
        default = Label("//bazel/private/python:python_compiler"),
        executable = True,
        cfg = "exec",
    ),
}

def _python_compiler_impl(ctx):
    tool = ctx.attr.tool[TsToolInfo]
    pyodide = [file for file in ctx.files.pyodide if file.basename == "pyodide.mjs"][0]
    script = ctx.actions.declare_file(ctx.label.name)
    command = [runfiles_path(ctx, tool.node)] + NODE_TOOL_FLAGS + [runfiles_path(ctx, tool.main), runfiles_path(ctx, pyodide).rpartition("/")[0]]
    ctx.actions.write(
        script,
        launcher_script([word if word in NODE_TOOL_FLAGS else "{runfiles}/" + word for word in command]),
        is_executable = True,
    )
    return [DefaultInfo(
        executable = script,
        files = depset([script]),
        runfiles = ctx.runfiles([tool.node, tool.main] + tool.siblings + ctx.files.pyodide),
    )]

python_compiler = rule(
    implementation = _python_compiler_impl,
    executable = True,
    doc = "The compiler, with CPython in WebAssembly. The bytecode is the same on every machine, and machines need no Python.",
    attrs = {
        "pyodide": attr.label(mandatory = True, doc = "The npm package `pyodide` with Python COMPILED_PYTHON_VERSION."),
        "tool": attr.label(mandatory = True, providers = [TsToolInfo], doc = "The tool that runs CPython."),
    },
)

def run_python_compiler(ctx, args, inputs, outputs, mnemonic = "PythonBytecode", progress_message = "Compiling Python modules of %{label}"):
    """Declares an action of the Python compiler.

    Args:
      ctx: the context of a rule or an aspect with PYTHON_COMPILER_ATTRS.
      args: Args, from build_tool_args.
      inputs: list or depset of Files.
      outputs: list of Files.
      mnemonic: string.
      progress_message: string.
    """
    ctx.actions.run(
        executable = ctx.executable._python_compiler,
        arguments = [args],
        inputs = inputs,
        outputs = outputs,
        mnemonic = mnemonic,
        progress_message = progress_message,
        execution_requirements = worker_requirements("SlipwayPythonBytecode"),
    )
