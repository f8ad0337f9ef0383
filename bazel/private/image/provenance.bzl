"""The provenance of an image."""

load("//bazel/private:build_tool.bzl", "build_tool_args", "run_build_tool")
load("//bazel/private:third_party.bzl", "apparent_name")
load("//bazel/private:version.bzl", "VERSION")
load(":stamp.bzl", "build_status")

# Media type and artifact type of a statement (in-toto attestation framework 1.0).
_STATEMENT = "application/vnd.in-toto+json"

def material_name(label):
    """A label as users write it, the same under every version of Bazel: `//pkg:target` or `@name//pkg:target`."""
    repository = "@" + apparent_name(label.repo_name) if label.repo_name else ""
    return "{}//{}:{}".format(repository, label.package, label.name)

def _lock_entry(file):
    return json.encode(["lock", file.path, material_name(file.owner)])

def write_provenance(ctx, name, descriptor, bases, locks):
    """Declares the action that writes an image's provenance (in-toto statement v1, SLSA provenance v1). It reads only small files.

    Args:
      ctx: the rule context, with BUILD_TOOL_TOOLCHAIN and STAMP_ATTRS.
      name: string, name of the image's target.
      descriptor: File, the image's descriptor.
      bases: list of struct, as in ImageInfo.
      locks: depset of File, as in ImageInfo.

    Returns:
      struct(file = File, referrers = list of struct as in ImageInfo). A push attaches provenance without a commit only if it signs it.
    """
    output = ctx.actions.declare_file(name + ".provenance.json")
    status = build_status(ctx)
    args = build_tool_args(ctx, "provenance")
    args.add(output, format = "--output=%s")
    args.add(descriptor, format = "--descriptor=%s")
    args.add(material_name(ctx.label.same_package_label(name)), format = "--target=%s")
    args.add(VERSION, format = "--version=%s")
    args.add_all(status, format_each = "--status=%s")
    args.add_all([json.encode(["base", base.descriptor.path, base.name]) for base in bases])
    args.add_all(locks, map_each = _lock_entry)
    run_build_tool(
        ctx,
        args,
        inputs = depset([descriptor] + status + [base.descriptor for base in bases], transitive = [locks]),
        outputs = [output],
        mnemonic = "ImageProvenance",
        progress_message = "Writing the provenance of %{label}",
    )
    return struct(
        file = output,
        referrers = [struct(file = output, artifact_type = _STATEMENT, unstamped = not status)],
    )
