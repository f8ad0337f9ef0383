"""Tests of pushes: their tags, labels, provenance, and what a launch leaves out."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("//bazel:defs.bzl", "ImageInfo", "image", "image_push", "image_push_all", "pipeline")

_MANUAL = ["manual"]
_STAMP = {"//command_line_option:stamp": True}
_NO_STAMP = {"//command_line_option:stamp": False}
_STATUS = ["stable-status.txt", "volatile-status.txt"]

def _images_of(env):
    """The images of the request of the target under test."""
    [text] = [action.content for action in analysistest.target_actions(env) if action.mnemonic == "FileWrite" and action.content.startswith("{")]
    return json.decode(text)["images"]

def _pushed_impl(ctx):
    env = analysistest.begin(ctx)
    images = _images_of(env)
    asserts.equals(env, ctx.attr.targets, [image["target"] for image in images])
    asserts.equals(env, ctx.attr.tags_of_images, [",".join(image["remoteTags"]) for image in images])
    asserts.equals(env, ctx.attr.files, [image.get("remoteTagsFile", "").split("/")[-1] for image in images])
    return analysistest.end(env)

_pushed_test = analysistest.make(_pushed_impl, attrs = {
    "files": attr.string_list(doc = "The file with the tags of each image."),
    "tags_of_images": attr.string_list(doc = "The tags of each image."),
    "targets": attr.string_list(doc = "The target of each image."),
})

def _referrers_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    carried = [file.basename for file in target[DefaultInfo].default_runfiles.files.to_list()]
    for image in _images_of(env):
        asserts.equals(env, ctx.attr.types, [referrer["artifactType"] for referrer in image["referrers"]])
        for referrer in image["referrers"]:
            is_provenance = referrer["artifactType"] == "application/vnd.in-toto+json"
            asserts.equals(env, is_provenance and not ctx.attr.stamped, referrer.get("isUnstamped", False))
            asserts.true(env, referrer["file"].split("/")[-1] in carried, "the run target carries " + referrer["file"])
    for part in ["provenance", "spdx"]:
        asserts.equals(env, part in " ".join(ctx.attr.types).replace("in-toto", "provenance"), part in " ".join(carried))
    return analysistest.end(env)

_REFERRERS_ATTRS = {
    "stamped": attr.bool(doc = "Whether the build is stamped."),
    "types": attr.string_list(doc = "The artifact types of what a push attaches."),
}

_referrers_test = analysistest.make(_referrers_impl, attrs = _REFERRERS_ATTRS, config_settings = _NO_STAMP)

_stamped_referrers_test = analysistest.make(_referrers_impl, attrs = _REFERRERS_ATTRS, config_settings = _STAMP)

def _inputs_impl(ctx):
    env = analysistest.begin(ctx)
    found = {}
    for action in analysistest.target_actions(env):
        if action.mnemonic in ["ImageManifest", "ImageProvenance", "ImageLayer"]:
            names = [file.basename for file in action.inputs.to_list()]
            found[action.mnemonic] = [name for name in names if name in _STATUS]
            for name in ctx.attr.inputs.get(action.mnemonic, []):
                asserts.true(env, name in names, "{} reads {}".format(action.mnemonic, name))
    asserts.equals(env, {mnemonic: _STATUS if mnemonic in ctx.attr.stamped else [] for mnemonic in found}, found)
    asserts.true(env, len(found) > 0)
    return analysistest.end(env)

_INPUTS_ATTRS = {
    "inputs": attr.string_list_dict(doc = "Further inputs by mnemonic."),
    "stamped": attr.string_list(doc = "Mnemonics of the actions that read the build status."),
}

_inputs_test = analysistest.make(_inputs_impl, attrs = _INPUTS_ATTRS, config_settings = _NO_STAMP)

_stamped_inputs_test = analysistest.make(_inputs_impl, attrs = _INPUTS_ATTRS, config_settings = _STAMP)

def _provenance_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    asserts.equals(env, [ctx.attr.file], [file.basename for file in target[OutputGroupInfo].provenance.to_list()])
    if ImageInfo in target:
        info = target[ImageInfo]
        asserts.equals(env, ctx.attr.bases, [base.name for base in info.bases])
        asserts.equals(env, ctx.attr.locks, [file.basename for file in info.locks.to_list()])
    return analysistest.end(env)

_provenance_test = analysistest.make(_provenance_impl, attrs = {
    "bases": attr.string_list(doc = "Names of the bases."),
    "file": attr.string(doc = "Name of the output."),
    "locks": attr.string_list(doc = "Names of the lock files."),
})

def push_test_suite(name):
    """Declares the tests and their targets.

    Args:
      name: string, the name of the suite.
    """
    others = {target: True for target in native.existing_rules()}
    image(name = "push_base", tags = _MANUAL)
    pipeline(
        name = "tagged",
        base = ":push_base",
        entry_point = "main.ts",
        remote_tags = ["latest", "{STABLE_GIT_COMMIT}"],
        deps = ["@slipway_dev_npm//:yaml"],
    )
    pipeline(
        name = "tagged_twice",
        base = ":push_base",
        bases = {"slim": ":push_base", "third": ":push_base"},
        binary = ":tagged.program",
        remote_tags = {"default": ["latest", "v1"], "slim": "//:package.json"},
    )
    _pushed_test(
        name = "pipeline_tags_test",
        files = [""],
        tags_of_images = ["latest,{STABLE_GIT_COMMIT}"],
        targets = ["//test/rules:tagged_default_push"],
        target_under_test = ":tagged_push",
    )
    _pushed_test(
        name = "pipeline_tags_by_image_test",
        files = ["package.json", "", ""],
        tags_of_images = ["tagged_twice_slim_push", "tagged_twice_third", "latest,v1"],
        targets = ["//test/rules:tagged_twice_{}_push".format(tag) for tag in ["slim", "third", "default"]],
        target_under_test = ":tagged_twice_push",
    )
    for target in ["tagged", "tagged_binary"]:
        _pushed_test(
            name = target + "_no_tags_test",
            files = [""],
            tags_of_images = [""],
            targets = ["//test/rules:" + target],
            target_under_test = target,
        )
    image_push(name = "single_push", images = [":push_base"], remote_tags = ["v1"], tags = _MANUAL)
    image_push_all(name = "some_pushes", pushes = [":single_push", ":tagged_push"], tags = _MANUAL)
    image_push_all(name = "all_pushes", pushes = [":some_pushes", ":tagged_twice_default_push"], tags = _MANUAL)
    _pushed_test(
        name = "all_pushes_test",
        files = [""] * 3,
        tags_of_images = ["v1", "latest,{STABLE_GIT_COMMIT}", "latest,v1"],
        targets = ["//test/rules:" + target for target in ["single_push", "tagged_default_push", "tagged_twice_default_push"]],
        target_under_test = ":all_pushes",
    )

    # Loads and launches attach nothing, so they build no SBOM.
    sbom = "application/spdx+json"
    for target, types in {"all_pushes": [sbom], "push_base": [], "tagged": []}.items():
        types = types + ["application/vnd.in-toto+json"] if types else []
        _referrers_test(name = target + "_referrers_test", types = types, target_under_test = target)
        _stamped_referrers_test(name = target + "_stamped_referrers_test", stamped = True, types = types, target_under_test = target)

    labels = {
        "file": {"annotations": "//:package.json"},
        "fixed": {"labels": {"org.opencontainers.image.title": "app"}},
        "variable": {"labels": {"org.opencontainers.image.revision": "{STABLE_GIT_COMMIT}"}},
    }
    for what, attributes in labels.items():
        image(name = "labels_" + what, tags = _MANUAL, **attributes)
        inputs = {"ImageManifest": ["package.json"]} if what == "file" else {}
        target = "labels_{}_manifest".format(what)
        _inputs_test(name = "labels_{}_test".format(what), inputs = inputs, target_under_test = target)
        _stamped_inputs_test(
            name = "stamped_labels_{}_test".format(what),
            inputs = inputs,
            stamped = ["ImageProvenance"] + ([] if what == "fixed" else ["ImageManifest"]),
            target_under_test = target,
        )
    _stamped_inputs_test(name = "stamped_layers_test", target_under_test = ":tagged_layers")

    image(name = "push_child", base = ":tagged_default_image", tags = _MANUAL)
    _provenance_test(
        name = "provenance_test",
        bases = ["//test/rules:tagged_default_image", "//test/rules:push_base"],
        file = "push_child.provenance.json",
        locks = ["pnpm-lock.yaml"],
        target_under_test = ":push_child",
    )
    image(
        name = "push_index",
        base = ":push_base",
        platforms = ["//bazel/platforms:linux_amd64", "//bazel/platforms:linux_arm64"],
        tags = _MANUAL,
    )
    _provenance_test(name = "index_provenance_test", file = "push_index.provenance.json", target_under_test = ":push_index")
    native.test_suite(
        name = name,
        tests = [target for target in native.existing_rules() if target.endswith("_test") and target not in others],
    )
