"""The rule that checks a service file at build time."""

def _service_spec_impl(ctx):
    spec = ctx.file.spec
    marker = ctx.actions.declare_file(ctx.label.name + ".checked")
    args = ctx.actions.args()
    args.add(spec)
    args.add(spec.short_path)
    args.add(marker)
    if ctx.attr.has_image:
        args.add("--has-image")
    ctx.actions.run(
        executable = ctx.executable._check,
        arguments = [args],
        inputs = [spec],
        outputs = [marker],
        mnemonic = "ServiceSpec",
        progress_message = "Checking %{label}",
    )
    return [
        DefaultInfo(files = depset([spec]), runfiles = ctx.runfiles([spec])),
        OutputGroupInfo(_validation = depset([marker])),
    ]

service_spec = rule(
    implementation = _service_spec_impl,
    doc = "A service file. A mistake in it fails the build with file, line and column. Names of instance types depend on the machine, so commands check them.",
    attrs = {
        "spec": attr.label(mandatory = True, allow_single_file = [".yaml", ".yml", ".json"], doc = "The service file."),
        "has_image": attr.bool(doc = "Whether the `service` target sets an image for services without one."),
        "_check": attr.label(default = Label("//src:service_check"), executable = True, cfg = "exec"),
    },
)
