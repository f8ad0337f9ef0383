"""The rule that runs a `slipway service` command for services of this repository."""

load("//bazel/private:runfiles.bzl", "launcher_script", "runfiles_path")
load("//bazel/private/run:run_tools.bzl", "host_platform_transition")

# The launcher sets this variable to the image's URI.
IMAGE_VARIABLE = "SLIPWAY_SERVICE_IMAGE"

def _service_command_impl(ctx):
    slipway = ctx.attr._slipway[0][DefaultInfo]
    sync = ctx.attr._sync[DefaultInfo]
    spec = ctx.file.spec
    script = ctx.actions.declare_file(ctx.label.name)
    words = [
        "{runfiles}/" + runfiles_path(ctx, slipway.files_to_run.executable),
        "service",
    ] + ctx.attr.command + [
        "{runfiles}/" + runfiles_path(ctx, spec),
        # The file's name in messages.
        "--called",
        spec.short_path.removeprefix("../"),
    ]
    ctx.actions.write(
        script,
        launcher_script(
            words,
            environment = {"SLIPWAY_SYNC_PUSH": "{runfiles}/" + runfiles_path(ctx, sync.files_to_run.executable)},
            setup = "set -- --image \"${}\" \"$@\"\n".format(IMAGE_VARIABLE) if ctx.attr.has_image else "",
        ),
        is_executable = True,
    )
    runfiles = ctx.runfiles([spec] + ctx.files._slipway).merge_all([
        slipway.default_runfiles,
        ctx.runfiles([sync.files_to_run.executable]),
        sync.default_runfiles,
    ])
    return [DefaultInfo(executable = script, runfiles = runfiles)]

service_command = rule(
    implementation = _service_command_impl,
    executable = True,
    doc = "Runs `slipway service COMMAND` for the services in a file.",
    attrs = {
        "command": attr.string_list(mandatory = True, doc = "The command and its options."),
        "spec": attr.label(mandatory = True, allow_single_file = True, doc = "The `service_spec`."),
        "has_image": attr.bool(doc = "Whether the launcher sets an image for services without one."),
        "_slipway": attr.label(default = Label("//src:slipway"), executable = True, cfg = host_platform_transition),
        # The command pushes this image if a service has models or repositories.
        "_sync": attr.label(default = Label("//bazel/private/service:sync_push"), executable = True, cfg = "target"),
        "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
    },
)
