"""Slipway's tools before anything is built: bundles, which need nothing but Node."""

def repository_tool(rctx, name, _packages):
    """A tool that a repository rule can run.

    Args:
      rctx: the repository context.
      name: string: `debian` or `pull`.
      _packages: whether it needs npm packages this time: here they are in the bundle.

    Returns:
      path, of a module for Node.
    """
    return rctx.path(Label("//src:%s_repository.mjs" % name))

def tool_packages():
    """Declares nothing: what the tools need is in their bundles."""
