"""The document of a job that a BUILD file describes."""

def _job_document_impl(ctx):
    # A folder of its own: the package may have a file of this name.
    document = ctx.actions.declare_file("{}/{}.json".format(ctx.label.name, ctx.attr.job))
    ctx.actions.write(document, ctx.attr.content)
    return [DefaultInfo(files = depset([document]))]

job_document = rule(
    implementation = _job_document_impl,
    doc = "A job as JSON, which `slipway job` reads.",
    attrs = {
        "job": attr.string(mandatory = True, doc = "The job's name."),
        "content": attr.string(mandatory = True, doc = "The document."),
    },
)
