"""The executable of a program."""

load(":label_text.bzl", "label_text")

RuleKindInfo = provider(
    doc = "The name of a target's rule.",
    fields = {"kind": "string: the name of the rule."},
)

def _rule_kind_impl(_target, ctx):
    return [RuleKindInfo(kind = ctx.rule.kind)]

# Files have no rule, so they do not get the provider.
rule_kind = aspect(implementation = _rule_kind_impl, doc = "Provides the name of a target's rule.")

def program_executable(where, attribute, target):
    """The executable of a program. Fails with the target's name if it has none.

    A filegroup with one file has an executable, but Bazel refuses to run it, so this does too.

    Args:
      where: Label of the target with the attribute, for the error.
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
