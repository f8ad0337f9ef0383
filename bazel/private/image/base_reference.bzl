"""Refuses image references where a base needs a label."""

load("//bazel/private:label_text.bzl", "label_text")

def refuse_image_reference(macro, target, attribute, base):
    """Fails for an image reference such as `ubuntu:20.04`, and prints the declaration to paste.

    Args:
      macro: string, the macro's name, for the error.
      target: string, the target's name, for the error.
      attribute: string, the attribute with the base, for the error.
      base: label, string, select or None.
    """
    if not base or type(base) != "string" or base.startswith(("@", "//", ":")):
        return
    first = base.partition("/")[0]
    if ":" not in base and "@" not in base and (first == base or ("." not in first and first != "localhost")):
        return
    image, _, digest = base.partition("://")[2].partition("@") if "://" in base else base.partition("@")
    name = "".join([c if c.isalnum() else "_" for c in image.split("/")[-1].partition(":")[0].elems()]) or "base"
    fail("""{where}: `{attribute}` is the image reference {base}, but it must be a target.
Declare the image in MODULE.bazel, and write {attribute} = "@{name}//image":

    base_images = use_extension("@slipway//bazel:extensions.bzl", "base_images")
    base_images.pull(
        name = "{name}",
        image = "{image}",{digest}
    )
    use_repo(base_images, "{name}")
""".format(
        where = "{} {}".format(macro, label_text(native.package_relative_label(target))),
        attribute = attribute,
        base = repr(base),
        name = name,
        image = image,
        digest = "\n        digest = \"{}\",".format(digest) if digest else "",
    ))
