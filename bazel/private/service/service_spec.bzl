"""The file of services, checked when it is built."""

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
    doc = "A file of services. Its mistakes fail the build of whatever needs it, with file, line and column; names of instance types, which are a machine's, are looked at when it is used.",
    attrs = {
        "spec": attr.label(mandatory = True, allow_single_file = [".yaml", ".yml", ".json"], doc = "The file."),
        "has_image": attr.bool(doc = "Whether an image is given to the services of it that name none."),
        "_check": attr.label(default = Label("//src:service_check"), executable = True, cfg = "exec"),
    },
)
