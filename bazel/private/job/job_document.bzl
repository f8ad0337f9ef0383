"""The document of a job that is declared in a BUILD file."""

def _job_document_impl(ctx):
    # In a separate folder, because the package may have a file with this name.
    document = ctx.actions.declare_file("{}/{}.json".format(ctx.label.name, ctx.attr.job))
    ctx.actions.write(document, ctx.attr.content)
    return [DefaultInfo(files = depset([document]))]

job_document = rule(
    implementation = _job_document_impl,
    doc = "A job as JSON, for `slipway job`.",
    attrs = {
        "job": attr.string(mandatory = True, doc = "The job's name."),
        "content": attr.string(mandatory = True, doc = "The document as JSON."),
    },
)
