"""Tools in TypeScript that repository rules run, before anything is built."""

load(":host_node.bzl", "host_node")

def given_name(rctx):
    """The name that the user gave to a repository: Bazel puts others before it.

    Args:
      rctx: the repository context.

    Returns:
      string.
    """
    return rctx.name.split("~")[-1].split("+")[-1]

def run_repository_tool(rctx, module, arguments, packages = False):
    """Runs a module whose answer is JSON and whose errors are for people; ends the fetch with them.

    Args:
      rctx: the repository context.
      module: string, path of the module below src.
      arguments: list of string or path.
      packages: whether it needs npm packages.

    Returns:
      what it answered.
    """
    script = rctx.path(Label("//src:" + module))
    if packages:
        # The tool finds its npm packages in the node_modules beside it.
        source = script
        for _ in module.split("/"):
            source = source.dirname
        rctx.symlink(source, "tool/src")
        rctx.symlink(rctx.path(Label("@slipway_npm//:package.json")).dirname.get_child("node_modules"), "tool/node_modules")
        script = "tool/src/" + module
    flags = ["--disable-warning=ExperimentalWarning", "--preserve-symlinks", "--preserve-symlinks-main"]
    result = rctx.execute([host_node(rctx)] + flags + [script] + arguments)
    if result.return_code != 0:
        fail("base image {}: {}".format(given_name(rctx), result.stderr.strip()))
    rctx.delete("tool")
    return json.decode(result.stdout)
