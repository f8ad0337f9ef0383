"""Gives each module its own packages when several modules declare a repository with the same name.

All users of a module extension share its repository names, and you cannot change the names that a dependency uses. So a shared name is a hub
repository: its targets have the packages of every module, and each rule takes those of its own module.
"""

load(":runfiles_parts.bzl", "RunfilesPartsInfo")

ModuleChoiceInfo = provider(
    doc = "A package that several modules can declare.",
    fields = {
        "targets": "dict of the canonical name of a module's repository to the module's Target. The root module comes first.",
        "modules": "list of string: the canonical names of all modules that declare the repository.",
    },
)

def _module_choice_impl(ctx):
    targets = {module: target for target, module in ctx.attr.targets.items()}
    first = targets.values()[0]
    providers = [first[RunfilesPartsInfo]] if RunfilesPartsInfo in first else []
    return providers + [
        DefaultInfo(files = first[DefaultInfo].files, runfiles = first[DefaultInfo].default_runfiles),
        ModuleChoiceInfo(targets = targets, modules = ctx.attr.modules),
    ]

module_choice = rule(
    implementation = _module_choice_impl,
    doc = "A package that several modules can declare. Rules that do not read ModuleChoiceInfo get the first module's package.",
    attrs = {
        "modules": attr.string_list(doc = "The canonical names of all modules that declare the repository."),
        "targets": attr.label_keyed_string_dict(doc = "A module's package to the module's canonical name, the first module first."),
    },
)

def module_targets(ctx, targets):
    """Replaces `module_choice` targets by the targets of the rule's own module.

    Args:
      ctx: the rule context.
      targets: list of Target.

    Returns:
      list of Target.
    """
    result = []
    for target in targets:
        if ModuleChoiceInfo in target:
            choice = target[ModuleChoiceInfo]
            module = ctx.label.repo_name
            if module in choice.modules and module not in choice.targets:
                fail("{}: {} is not in the lock file of its module.\nAdd it there; Slipway does not use the lock file of another module.".format(ctx.label, target.label))
            target = choice.targets.get(module) or choice.targets.values()[0]
        result.append(target)
    return result

_BUILD = """load("{rule}", "module_choice")

package(default_visibility = ["//visibility:public"])
"""

_CHOICE = """
module_choice(
    name = {name},
    modules = {modules},
    targets = {targets},
)
"""

def _npm_package_names(folder):
    """The names of the packages in a node_modules folder."""
    names = []
    for entry in folder.readdir() if folder.exists else []:
        if entry.basename.startswith("@"):
            names.extend(["{}/{}".format(entry.basename, package.basename) for package in entry.readdir()])
        elif not entry.basename.startswith("."):
            names.append(entry.basename)
    return names

def _module_hub_impl(rctx):
    packages = {}
    for module, suffix in rctx.attr.modules.items():
        repository = "@@{}_{}".format(rctx.name, suffix)
        names = rctx.attr.targets
        if not names:
            folder = rctx.path(Label(repository + "//:package.json")).dirname.get_child("node_modules")
            names = _npm_package_names(folder)
        for name in names:
            packages.setdefault(name, {})["{}//:{}".format(repository, name)] = module
    build = _BUILD.format(rule = Label(":module_choice.bzl"))
    for name in sorted(packages):
        build += _CHOICE.format(name = json.encode(name), modules = json.encode(rctx.attr.modules.keys()), targets = json.encode(packages[name]))
    rctx.file("BUILD.bazel", build)
    return rctx.repo_metadata(reproducible = True) if hasattr(rctx, "repo_metadata") else None

_module_hub = repository_rule(
    implementation = _module_hub_impl,
    doc = "A hub repository with the packages of several modules.",
    attrs = {
        "modules": attr.string_dict(mandatory = True, doc = "Canonical name of a module to the suffix of its own repository's name."),
        "targets": attr.string_list(doc = "The names of the targets. Default: the npm packages of the repositories."),
    },
)

def declare_by_module(mctx, what, tag_class, lock, declare, targets = []):
    """Declares the repositories of a module extension's tags. A name that several modules use gets a hub, and a repository for each module.

    Args:
      mctx: the module context.
      what: string, the kind of repository, for errors.
      tag_class: string, name of the tag class.
      lock: string, a label attribute of the tag, whose value is in the tag's module.
      declare: function that declares a repository, given its name and the tag.
      targets: list of string, the targets of the repositories. Default: the npm packages.
    """
    declared = {}
    for module in mctx.modules:
        for tag in getattr(module.tags, tag_class):
            tags = declared.setdefault(tag.name, {})
            if module.name in tags:
                fail("{} {}: module {} declares them twice.\nRename one of them.".format(what, tag.name, module.name or "(root)"))
            tags[module.name] = tag
    for name, tags in declared.items():
        if len(tags) == 1:
            declare(name, tags.values()[0])
            continue
        modules = {}
        for number, (module, tag) in enumerate(tags.items()):
            suffix = module or "root{}".format(number)
            declare("{}_{}".format(name, suffix), tag)
            modules[getattr(tag, lock).repo_name] = suffix
        _module_hub(name = name, modules = modules, targets = targets)
