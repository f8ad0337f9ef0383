"""Checks the documents of jobs and services at build time."""

CHECK_ATTRS = {
    "_check": attr.label(default = Label("//src:check"), executable = True, cfg = "exec"),
}

def checked_document(ctx, kind, document, name, options = []):
    """Declares a validation action that checks a document. A mistake fails the build with file, line and column.

    Args:
      ctx: the rule context, with CHECK_ATTRS.
      kind: string, `job` or `service`.
      document: File.
      name: string, the document's name in errors.
      options: list of string, further arguments of the check.

    Returns:
      list of providers with the document.
    """
    marker = ctx.actions.declare_file(ctx.label.name + ".checked")
    args = ctx.actions.args()
    args.add_all([kind, document, name, marker])
    args.add_all(options)
    ctx.actions.run(
        executable = ctx.executable._check,
        arguments = [args],
        inputs = [document],
        outputs = [marker],
        mnemonic = "CheckDocument",
        progress_message = "Checking %{label}",
    )
    return [
        DefaultInfo(files = depset([document]), runfiles = ctx.runfiles([document])),
        OutputGroupInfo(_validation = depset([marker])),
    ]
