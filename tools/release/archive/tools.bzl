"""Slipway's tools for repository rules, as bundles that need only Node."""

def repository_tool(rctx, name, _packages):
    """A tool for a repository rule.

    Args:
      rctx: the repository context.
      name: string: `debian` or `pull`.
      _packages: whether this call needs the tool's npm packages. Unused, because the bundle contains them.

    Returns:
      path of a module for Node.
    """
    return rctx.path(Label("//src:%s_repository.mjs" % name))

def tool_packages():
    """Declares nothing, because the bundles contain all npm packages."""
