"""The target of a pipeline that runs the launch script without an image."""

load("//bazel/private:executable.bzl", "program_executable", "rule_kind")
load("//bazel/private:runfiles.bzl", "launcher_script", "runfiles_path")
load(":request.bzl", "program_environment", "program_runfiles")
load(":run_tools_info.bzl", "RunToolsInfo")

def _pipeline_local_impl(ctx):
    tools = ctx.attr._run_tools[RunToolsInfo]
    name = ctx.label.name.removesuffix("_local")
    file = program_executable(ctx.label.same_package_label(name), "binary", ctx.attr.program)
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        script,
        launcher_script(
            ["{runfiles}/" + runfiles_path(ctx, file)],
            environment = {"SLIPWAY_ENGINE_HELPER": "{runfiles}/" + runfiles_path(ctx, tools.engine_helper)},
        ),
        is_executable = True,
    )
    runfiles = program_runfiles(ctx, ctx.attr.program)
    return [DefaultInfo(executable = script, runfiles = runfiles)] + program_environment(ctx.attr.program)

pipeline_local = rule(
    implementation = _pipeline_local_impl,
    executable = True,
    doc = "Runs a launch script with the helper that makes the calls of its functions, in processes.",
    attrs = {
        "program": attr.label(mandatory = True, allow_files = True, aspects = [rule_kind], doc = "The launch script."),
        "_run_tools": attr.label(default = Label("//bazel/private/run:run_tools"), providers = [RunToolsInfo]),
    },
)
