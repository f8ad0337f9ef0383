"""The document of a job, checked at build time."""

load("//bazel/private:checked_document.bzl", "CHECK_ATTRS", "checked_document")

def _job_document_impl(ctx):
    document = ctx.file.document
    if document:
        return checked_document(ctx, "job", document, document.short_path)

    # In a separate folder, because the package may have a file with this name.
    document = ctx.actions.declare_file("{}/{}.json".format(ctx.label.name, ctx.attr.job))
    ctx.actions.write(document, ctx.attr.content)

    # Errors name the written file by its path from the workspace, so that you can open it.
    return checked_document(ctx, "job", document, document.path)

job_document = rule(
    implementation = _job_document_impl,
    doc = "A job's document, for `slipway job`. A mistake in it fails the build with file, line and column.",
    attrs = {
        "document": attr.label(allow_single_file = [".yaml", ".yml", ".json"], doc = "The job's file. Default: a file with `content`."),
        "job": attr.string(mandatory = True, doc = "The job's name."),
        "content": attr.string(doc = "The document as JSON."),
    } | CHECK_ATTRS,
)
