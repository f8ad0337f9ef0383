"""The file that a program starts."""

load(":label_text.bzl", "label_text")

RuleKindInfo = provider(
    doc = "The rule of a target, for messages and for what only its kind tells.",
    fields = {"kind": "string: the name of the rule."},
)

def _rule_kind_impl(_target, ctx):
    return [RuleKindInfo(kind = ctx.rule.kind)]

# Files have no rule, so this is not given to them.
rule_kind = aspect(implementation = _rule_kind_impl, doc = "Tells the rule of a target.")

def program_executable(where, attribute, target):
    """The executable of a program, or an error that names what has none.

    Bazel gives a filegroup of one file as executable, but does not run it, so it is refused here as well.

    Args:
      where: Label of the target with the attribute.
      attribute: string, the name of the attribute.
      target: Target, with the aspect `rule_kind`.

    Returns:
      File.
    """
    kind = target[RuleKindInfo].kind if RuleKindInfo in target else "file"
    executable = target[DefaultInfo].files_to_run.executable
    if executable and not executable.is_directory and kind != "filegroup":
        return executable
    files = target[DefaultInfo].files.to_list()
    fail("{}: `{}` is {}, which is not executable: a {} with {}.\nName an executable target. For one file, use native_binary of bazel_skylib; for a genrule, set `executable = True`.".format(
        label_text(where),
        attribute,
        label_text(target.label),
        kind,
        "1 file" if len(files) == 1 else "{} files".format(len(files)),
    ))
