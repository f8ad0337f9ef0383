"""Runs Slipway's TypeScript tools in repository rules."""

load("//bazel/private:given_name.bzl", "given_name")
load("//src:tools.bzl", "repository_tool")
load(":host_node.bzl", "host_node")

def run_repository_tool(rctx, tool, arguments, packages = False, context = ""):
    """Runs a tool and returns its JSON answer. If the tool fails, the fetch fails with the tool's error.

    Args:
      rctx: the repository context.
      tool: string, its name in src/tools.bzl.
      arguments: list of string or path.
      packages: whether it needs its npm packages.
      context: string, a prefix for its error.

    Returns:
      the decoded answer.
    """
    script = repository_tool(rctx, tool, packages)
    flags = ["--disable-warning=ExperimentalWarning", "--preserve-symlinks", "--preserve-symlinks-main"]
    result = rctx.execute([host_node(rctx)] + flags + [script] + arguments)
    if result.return_code != 0:
        fail("base image {}: {}{}".format(given_name(rctx), context, result.stderr.strip()))
    rctx.delete("tool")
    return json.decode(result.stdout)
