"""Which files of a program are symbolic links by declaration."""

DeclaredLinksInfo = provider(
    doc = "Links that rules declare with `ctx.actions.declare_symlink`: what they say is their content, whether or not it exists.",
    fields = {
        "links": "depset of File: those of a target and of all that it depends on.",
    },
)

_NONE = DeclaredLinksInfo(links = depset())

# What every rule has besides its own attributes, and what every struct has: nothing of it brings files to a program.
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

        # Most attributes are empty.
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

# `File.is_symlink` came with Bazel 8. The action that makes a link tells in every version.
declared_links = aspect(
    implementation = _declared_links_impl,
    attr_aspects = ["*"],
    doc = "Finds the links that rules declare: in Bazel 7 a File does not tell that it is one.",
)
