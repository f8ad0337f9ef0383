"""Which files of a program are symbolic links by declaration."""

DeclaredLinksInfo = provider(
    doc = "Links that rules declare with `ctx.actions.declare_symlink`: what they say is their content, whether or not it exists.",
    fields = {
        "links": "depset of File: those of a target and of all that it depends on.",
    },
)

def _declared_links_impl(target, ctx):
    direct = []
    for action in target.actions:
        if action.mnemonic == "UnresolvedSymlink":
            direct.extend(action.outputs.to_list())
    transitive = []
    for name in dir(ctx.rule.attr):
        value = getattr(ctx.rule.attr, name)
        if type(value) == "Target":
            value = [value]
        elif type(value) == "dict":
            value = value.keys() + value.values()
        elif type(value) != "list":
            continue
        transitive.extend([dep[DeclaredLinksInfo].links for dep in value if type(dep) == "Target" and DeclaredLinksInfo in dep])
    return [DeclaredLinksInfo(links = depset(direct, transitive = transitive))]

# `File.is_symlink` came with Bazel 8. The action that makes a link tells in every version.
declared_links = aspect(
    implementation = _declared_links_impl,
    attr_aspects = ["*"],
    doc = "Finds the links that rules declare: in Bazel 7 a File does not tell that it is one.",
)
