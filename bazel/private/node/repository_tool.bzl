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

def run_repository_tool(rctx, script, arguments):
    """Runs a module whose answer is JSON and whose errors are for people; ends the fetch with them.

    Args:
      rctx: the repository context.
      script: path or string, the module.
      arguments: list of string or path.

    Returns:
      what it answered.
    """
    flags = ["--disable-warning=ExperimentalWarning", "--preserve-symlinks", "--preserve-symlinks-main"]
    result = rctx.execute([host_node(rctx)] + flags + [script] + arguments)
    if result.return_code != 0:
        fail("base image {}: {}".format(given_name(rctx), result.stderr.strip()))
    return json.decode(result.stdout)
