"""Repositories of one name that several modules declare by a module extension: each module gets what it declared.

A dependency cannot be told to use another name, and all users of an extension share its names. So the name stands for a repository of targets
that carry the packages of every module, and the rule that takes one picks those of its own module.
"""

load(":runfiles_parts.bzl", "RunfilesPartsInfo")

ModuleChoiceInfo = provider(
    doc = "A package that several modules may have declared.",
    fields = {
        "targets": "dict of the canonical name of a module's repository to the Target that the module declared. The root module, or else the first, is first.",
        "modules": "list of string: the canonical names of all modules that declared the repository.",
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
    doc = "A package that several modules may have declared. To rules that know nothing of modules it is that of the first.",
    attrs = {
        "modules": attr.string_list(doc = "The canonical names of all modules that declared the repository."),
        "targets": attr.label_keyed_string_dict(doc = "The package that a module declared to the module's canonical name, the first module first."),
    },
)

def module_targets(ctx, targets):
    """What the module of a rule declared, in place of what several modules did.

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
                fail("{}: {} is not in the lock file that its module declares.\nAdd it there; another module's is not taken.".format(ctx.label, target.label))
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
    """The packages in a node_modules folder."""
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
    doc = "Targets that carry what several modules declared.",
    attrs = {
        "modules": attr.string_dict(mandatory = True, doc = "Canonical name of a module to what the name of its own repository ends with."),
        "targets": attr.string_list(doc = "The names of the targets. Default: the npm packages of the repositories."),
    },
)

def declare_by_module(mctx, what, tag_class, lock, declare, targets = []):
    """Declares the repositories that the tags of a module extension name, a name of several modules for each of them.

    Args:
      mctx: the module context.
      what: string, for errors.
      tag_class: string, name of the tags.
      lock: string, the attribute of a tag that is a label in its module.
      declare: function of the name of a repository and a tag.
      targets: list of string, what the repositories have. Default: npm packages.
    """
    declared = {}
    for module in mctx.modules:
        for tag in getattr(module.tags, tag_class):
            tags = declared.setdefault(tag.name, {})
            if module.name in tags:
                fail("{} {}: module {} declares them twice.\nGive one of them another name.".format(what, tag.name, module.name or "(root)"))
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
