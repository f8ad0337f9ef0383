"""Finds the declared symbolic links among a program's files."""

DeclaredLinksInfo = provider(
    doc = "Links that rules declare with `ctx.actions.declare_symlink`. The link's text is its content; its target need not exist.",
    fields = {
        "links": "depset of File: the links of a target and of its dependencies.",
    },
)

_NONE = DeclaredLinksInfo(links = depset())

# Attributes of every rule, and methods of every struct. None of them adds files to a program.
_OF_ALL_RULES = {name: True for name in [
    "_action_listener",
    "_config_dependencies",
    "_is_executable",
    "applicable_licenses",
    "aspect_hints",
    "compatible_with",
    "deprecation",
    "exec_compatible_with",
    "exec_properties",
    "features",
    "generator_function",
    "generator_location",
    "generator_name",
    "name",
    "output_licenses",
    "package_metadata",
    "restricted_to",
    "tags",
    "target_compatible_with",
    "testonly",
    "to_json",
    "to_proto",
    "transitive_configs",
    "visibility",
]}

def _declared_links_impl(target, ctx):
    direct = []
    for action in target.actions:
        if action.mnemonic == "UnresolvedSymlink":
            direct.extend(action.outputs.to_list())
    transitive = []
    attributes = ctx.rule.attr
    for name in dir(attributes):
        if name in _OF_ALL_RULES:
            continue
        value = getattr(attributes, name)
        if not value:
            continue
        kind = type(value)
        if kind == "Target":
            value = [value]
        elif kind == "dict":
            value = value.keys() + value.values()
        elif kind != "list":
            continue
        transitive.extend([dep[DeclaredLinksInfo].links for dep in value if type(dep) == "Target" and DeclaredLinksInfo in dep])
    return [DeclaredLinksInfo(links = depset(direct, transitive = transitive)) if direct or transitive else _NONE]

# `File.is_symlink` is new in Bazel 8. The action that makes a link exists in every version.
declared_links = aspect(
    implementation = _declared_links_impl,
    attr_aspects = ["*"],
    doc = "Finds the links that rules declare. In Bazel 7 a File does not say whether it is a link.",
)
