"""The rule that runs a `slipway job` command for a job of this repository."""

load("//bazel/private:runfiles.bzl", "launcher_script", "runfiles_path", "shell_quote")
load("//bazel/private/run:run_tools.bzl", "host_platform_transition")

def _job_command_impl(ctx):
    slipway = ctx.attr._slipway[0][DefaultInfo]
    command = ctx.files._slipway
    tool = slipway.files_to_run.executable
    document = ctx.file.deployment
    script = ctx.actions.declare_file(ctx.label.name)
    folder = ctx.attr.folder or document.dirname
    setup = ""
    if not document.short_path.startswith("../"):
        # Locks and relative paths are files in the user's workspace; no action copies them.
        setup = "[ -z \"$BUILD_WORKSPACE_DIRECTORY\" ] || set -- --folder \"$BUILD_WORKSPACE_DIRECTORY\"/{} \"$@\"\n".format(shell_quote(folder or "."))
    ctx.actions.write(
        script,
        launcher_script(
            ["{runfiles}/" + runfiles_path(ctx, tool), "job", ctx.attr.command, "{runfiles}/" + runfiles_path(ctx, document), "--target", ctx.attr.job],
            setup = setup,
        ),
        is_executable = True,
    )
    runfiles = ctx.runfiles([document] + command).merge(slipway.default_runfiles)
    return [DefaultInfo(executable = script, runfiles = runfiles)]

job_command = rule(
    implementation = _job_command_impl,
    executable = True,
    doc = "Runs `slipway job COMMAND` for one job.",
    attrs = {
        "command": attr.string(mandatory = True, doc = "`run`, `resolve` or `diff`."),
        "deployment": attr.label(mandatory = True, allow_single_file = True, doc = "The `job_document`."),
        "folder": attr.string(doc = "The folder in this repository to which the document's paths are relative. Default: the document's folder."),
        "job": attr.string(mandatory = True, doc = "The label with which you run the job."),
        "_slipway": attr.label(default = Label("//src:slipway"), executable = True, cfg = host_platform_transition),
        "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
    },
)
