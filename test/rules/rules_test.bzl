"""Tests of the rules' providers, actions and errors at analysis."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")
load("@bazel_skylib//rules:native_binary.bzl", "native_binary")
load("//bazel:defs.bzl", "ImageIndexInfo", "ImageInfo", "image", "image_layer", "image_push", "pipeline", "ts_binary")
load("//bazel:python.bzl", "py_pipeline", "python_library")
load("//bazel/private/image:binary_layers.bzl", "binary_layers")  # buildifier: disable=bzl-visibility
load("//bazel/private/image:image_import.bzl", "image_import")  # buildifier: disable=bzl-visibility
load("//bazel/private/python:python_program.bzl", "python_program")  # buildifier: disable=bzl-visibility
load("//bazel/private/run:pipeline_local.bzl", "pipeline_local")  # buildifier: disable=bzl-visibility
load(":odd_program.bzl", "odd_program", "runtime_file")

def _fails_impl(ctx):
    env = analysistest.begin(ctx)
    for part in ctx.attr.parts:
        asserts.expect_failure(env, part)
    return analysistest.end(env)

_fails_test = analysistest.make(
    _fails_impl,
    expect_failure = True,
    attrs = {"parts": attr.string_list(doc = "Parts of the message.")},
)

def _image_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    info = target[ImageInfo]
    asserts.equals(env, ctx.attr.layers, [layer.blob.basename for layer in info.layers])
    for group in ["oci_layout", "oci_tarball", "digest"]:
        asserts.equals(env, 1, len(target[OutputGroupInfo][group].to_list()))
    return analysistest.end(env)

def _manifest_impl(ctx):
    env = analysistest.begin(ctx)
    actions = analysistest.target_actions(env)
    asserts.equals(env, ["ImageManifest", "ImageSbom", "ImageProvenance"], [action.mnemonic for action in actions])
    inputs = [file.basename for action in actions for file in action.inputs.to_list()]
    for layer in analysistest.target_under_test(env)[ImageInfo].layers:
        asserts.false(env, layer.blob.basename in inputs, "the manifest and the provenance are made without reading " + layer.blob.basename)
    return analysistest.end(env)

_manifest_test = analysistest.make(_manifest_impl)

_image_test = analysistest.make(_image_impl, attrs = {"layers": attr.string_list(doc = "Names of the layers' blobs, lowest first.")})

def _index_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    images = target[ImageIndexInfo].images
    asserts.equals(env, 2, len(images))
    asserts.false(env, images[0].descriptor.path == images[1].descriptor.path, "each platform has files of its own")

    # Each platform has its own runtime.
    nodes = [[file for file in image.layers[0].blob.path.split("/") if "-ST-" in file] for image in images]
    asserts.false(env, nodes[0] == nodes[1], "the layers with Node are of different configurations")

    # The images' files have the same short paths, so they need different prefixes in the runfiles.
    runfiles = target[DefaultInfo].default_runfiles
    carried = {entry.path: entry.target_file for entry in runfiles.root_symlinks.to_list()}
    for image in images:
        for file in [image.descriptor, image.manifest, image.config, image.layers[0].blob]:
            asserts.true(env, file in carried.values(), "the run target carries " + file.path)
    asserts.equals(env, ["bundled_default_image.index.json"], [file.basename for file in runfiles.files.to_list() if file.basename.endswith("index.json")])
    return analysistest.end(env)

_index_test = analysistest.make(_index_impl)

def _entries_impl(ctx):
    env = analysistest.begin(ctx)
    [action] = [action for action in analysistest.target_actions(env) if action.mnemonic == "ImageLayer"]
    asserts.equals(env, ctx.attr.entries, [argument for argument in action.argv if argument.startswith("[")])
    return analysistest.end(env)

_entries_test = analysistest.make(_entries_impl, attrs = {"entries": attr.string_list(doc = "The entries of the layer's action.")})

def _epoch_impl(ctx):
    env = analysistest.begin(ctx)
    [action] = [action for action in analysistest.target_actions(env) if action.mnemonic == "ImageManifest"]
    [spec] = [argument.removeprefix("--spec=") for argument in action.argv if argument.startswith("--spec=")]
    asserts.equals(env, 1700000000, json.decode(spec)["epoch"])
    return analysistest.end(env)

_epoch_test = analysistest.make(_epoch_impl)

def _actions_impl(ctx):
    env = analysistest.begin(ctx)
    mnemonics = [action.mnemonic for action in analysistest.target_actions(env)]
    for mnemonic in mnemonics:
        asserts.false(env, mnemonic.startswith("Image"), "no image action: " + mnemonic)
    asserts.true(env, "FileWrite" in mnemonics)
    return analysistest.end(env)

_no_image_actions_test = analysistest.make(_actions_impl)

def _tags_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.equals(env, ctx.attr.expected, ctx.attr.found)
    return analysistest.end(env)

_targets_test = analysistest.make(_tags_impl, attrs = {
    "expected": attr.string_list_dict(doc = "Tags by target."),
    "found": attr.string_list_dict(doc = "Tags by target."),
})

def _carried_impl(ctx):
    env = analysistest.begin(ctx)
    runfiles = analysistest.target_under_test(env)[DefaultInfo].default_runfiles.files.to_list()
    asserts.true(env, ctx.file.program in runfiles, "{} is in the runfiles".format(ctx.file.program.short_path))
    return analysistest.end(env)

_carried_test = analysistest.make(_carried_impl, attrs = {"program": attr.label(allow_single_file = True, doc = "The program.")})

def _request_impl(ctx):
    env = analysistest.begin(ctx)
    texts = [action.content for action in analysistest.target_actions(env) if action.mnemonic == "FileWrite" and action.content.startswith("{")]
    asserts.equals(env, 1, len(texts))
    request = json.decode(texts[0])
    image = request["images"][0]
    asserts.equals(env, ctx.attr.remote_tags, image["remoteTags"])
    asserts.equals(env, ctx.attr.remote_tags_file, image.get("remoteTagsFile", "").split("/")[-1])
    asserts.equals(env, ctx.attr.build_status, [path.split("/")[-1] for path in request["buildStatus"]])
    carried = [file.basename for file in analysistest.target_under_test(env)[DefaultInfo].default_runfiles.files.to_list()]
    for name in ctx.attr.build_status:
        asserts.true(env, name in carried, "the run target carries " + name)
    asserts.equals(env, bool(ctx.attr.build_status), "volatile-status.txt" in carried, "nothing that changes with every build without need")
    return analysistest.end(env)

_REQUEST_ATTRS = {
    "build_status": attr.string_list(doc = "Names of the files with the build status."),
    "remote_tags": attr.string_list(doc = "The tags in the request."),
    "remote_tags_file": attr.string(doc = "Name of the file with tags."),
}

_request_test = analysistest.make(_request_impl, attrs = _REQUEST_ATTRS)

_stamped_request_test = analysistest.make(_request_impl, attrs = _REQUEST_ATTRS, config_settings = {"//command_line_option:stamp": True})

def _layers_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    [text] = [action.content for action in analysistest.target_actions(env) if action.mnemonic == "FileWrite" and action.content.startswith("{")]
    request = json.decode(text)
    asserts.equals(env, ctx.attr.remote_cache, request.get("remoteCache", "none"))
    images = [child for image in request["images"] for child in image["children"] or [image]]
    blobs = [blob for image in images for blob in image["blobs"]]
    asserts.equals(env, ctx.attr.beside, [blob["beside"] for blob in blobs if "beside" in blob])
    asserts.equals(env, ctx.attr.carried, [blob["blob"].split("/")[-1] for blob in blobs if "blob" in blob])

    info = target[DefaultInfo]
    runfiles = info.default_runfiles
    found = [file.basename for file in runfiles.files.to_list() + [entry.target_file for entry in runfiles.root_symlinks.to_list()]]
    for blob in ctx.attr.carried:
        asserts.true(env, blob in found, "the run target carries " + blob)
    for blob in ctx.attr.beside:
        asserts.false(env, blob in found + [file.basename for file in info.files.to_list()], "`bazel run` downloads " + blob)
        asserts.true(env, blob.removesuffix(".tar.gz") + ".layer.json" in found, "the metadata of {} is carried".format(blob))
    asserts.equals(env, ctx.attr.group, [file.basename for file in target[OutputGroupInfo].layers.to_list()])
    return analysistest.end(env)

_LAYERS_ATTRS = {
    "beside": attr.string_list(doc = "Layers that a cache has."),
    "carried": attr.string_list(doc = "Layers in the runfiles."),
    "group": attr.string_list(doc = "The output group `layers`."),
    "remote_cache": attr.string(doc = "The cache in the request."),
}

_layers_test = analysistest.make(_layers_impl, attrs = _LAYERS_ATTRS)

_CACHE = "grpcs://cache.example.com/team"
_SETTING = str(Label("//bazel/settings:remote_cache"))

_cached_layers_test = analysistest.make(_layers_impl, attrs = _LAYERS_ATTRS, config_settings = {_SETTING: _CACHE})

def _layers_tests(target, layers, source_layers = []):
    _layers_test(
        name = target + "_layers_test",
        carried = layers + source_layers,
        group = layers,
        remote_cache = "none",
        target_under_test = target,
    )
    _cached_layers_test(
        name = target + "_cached_layers_test",
        beside = layers,
        carried = source_layers,
        group = layers,
        remote_cache = _CACHE,
        target_under_test = target,
    )

_CACHE_FAILURES = {
    "password": ("https://user:hunter2@cache.example.com", "contains a user or a password"),
    "scheme": ("ftp://user:hunter2@cache.example.com", "has the scheme `ftp`, which no remote cache has"),
    "no_scheme": ("user:hunter2@cache.example.com", "has no scheme, and is no absolute path"),
    "no_host": ("grpc:///instance", "names no host after grpc://"),
}

def _cache_fails_impl(ctx):
    env = analysistest.begin(ctx)
    asserts.expect_failure(env, "@slipway//bazel/settings:remote_cache " + ctx.attr.part)
    message = analysistest.target_under_test(env)[AnalysisFailureInfo].causes.to_list()[0].message
    asserts.false(env, "hunter2" in message, "the message shows the password")
    return analysistest.end(env)

_no_scheme_test, _no_host_test, _scheme_test, _password_test = [
    analysistest.make(
        _cache_fails_impl,
        attrs = {"part": attr.string(doc = "A part of the message.")},
        expect_failure = True,
        config_settings = {_SETTING: address},
    )
    for address in [_CACHE_FAILURES[what][0] for what in ["no_scheme", "no_host", "scheme", "password"]]
]

_CACHE_TESTS = {"no_host": _no_host_test, "no_scheme": _no_scheme_test, "password": _password_test, "scheme": _scheme_test}

def _inputs_impl(ctx):
    env = analysistest.begin(ctx)
    layers = {action.outputs.to_list()[0].basename: action for action in analysistest.target_actions(env) if action.mnemonic == "ImageLayer"}
    for name, action in layers.items():
        for other in [file for file in action.inputs.to_list() if file.basename == "odd_program"]:
            asserts.true(env, "first_party" in name, "{} is made anew when {} changes".format(name, other.short_path))
    asserts.equals(env, 4, len(layers))
    return analysistest.end(env)

_separate_inputs_test = analysistest.make(_inputs_impl)

_MANUAL = ["manual"]

# Bazel hands a farm's actions copies of the links inside a directory that another action has made. In a cache, both layers have the same key.
_LINKS = _MANUAL + ["no-remote"]

def _fails(target, parts):
    _fails_test(name = target + "_test", parts = parts, target_under_test = target)

def rules_test_suite(name):
    """Declares the tests and their targets.

    Args:
      name: string, the name of the suite.
    """
    image(name = "empty", tags = _MANUAL)
    image_layer(name = "extra", files = {"/etc/package.json": "//:package.json"}, tags = _MANUAL)
    bases = {"slim": ":empty"}
    pipeline(
        name = "main",
        base = ":empty",
        bases = bases,
        image_layers = [":extra"],
        deps = ["@slipway_dev_npm//:yaml"],
        visibility = ["//visibility:private"],
    )
    if bases != {"slim": ":empty"}:
        fail("pipeline changed its caller's bases")
    pipeline(
        name = "same_base_twice",
        base = ":empty",
        bases = {"default": "//test/rules:empty"},
        binary = ":main.program",
    )
    _targets_test(
        name = "pipeline_targets_test",
        expected = {
            target: tags
            for target, tags in {
                "main": _MANUAL,
                "main_binary": _MANUAL,
                "main_default_image": _MANUAL,
                "main_default_push": _MANUAL,
                "main_image": _MANUAL,
                "main_local": [],
                "main_push": _MANUAL,
                "main_slim_image": _MANUAL,
                "main_slim_push": _MANUAL,
            }.items()
        },
        found = {
            target: [tag for tag in rule["tags"]]
            for target, rule in native.existing_rules().items()
            if (target == "main" or target.startswith("main_")) and target != "main_layers" and not target.endswith("_manifest")
        },
        target_under_test = ":main_local",
    )
    _image_test(
        name = "image_layers_test",
        layers = ["extra.tar.gz", "node_layer.tar.gz", "main_layers.third_party_3.tar.gz", "main_layers.first_party.tar.gz"],
        target_under_test = ":main_default_image",
    )
    _manifest_test(name = "manifest_test", target_under_test = ":main_default_image_manifest")
    _no_image_actions_test(name = "local_without_image_test", target_under_test = ":main_local")

    image(name = "dated", epoch = 1700000000, tags = _MANUAL)
    _epoch_test(name = "epoch_test", target_under_test = ":dated_manifest")
    image(name = "before_1970", epoch = -1, tags = _MANUAL)
    _fails("before_1970", ["//test/rules:before_1970", "`epoch` is -1"])
    image(name = "two_programs", layers = [":main_layers", ":same_base_twice_layers"], tags = _MANUAL)
    _fails("two_programs", ["//test/rules:two_programs", "two of its `layers` have a program", "Set `entrypoint`"])
    image_push(name = "odd_tags", images = [":empty"], image_tags = ["a", "b"], tags = _MANUAL)
    _fails("odd_tags", ["//test/rules:odd_tags", "1 `images` and 2 `image_tags`"])
    image_push(name = "two_tags", images = [":empty"], remote_tags = ["one", "two"], tags = _MANUAL)
    _request_test(name = "two_tags_test", remote_tags = ["one", "two"], target_under_test = ":two_tags")
    _stamped_request_test(name = "stamped_two_tags_test", remote_tags = ["one", "two"], target_under_test = ":two_tags")
    image_push(name = "variable_tags", images = [":empty"], remote_tags = ["latest", "{STABLE_COMMIT}"], tags = _MANUAL)
    _request_test(name = "variable_tags_test", remote_tags = ["latest", "{STABLE_COMMIT}"], target_under_test = ":variable_tags")
    _stamped_request_test(
        name = "stamped_variable_tags_test",
        build_status = ["stable-status.txt", "volatile-status.txt"],
        remote_tags = ["latest", "{STABLE_COMMIT}"],
        target_under_test = ":variable_tags",
    )
    image_push(name = "tags_of_file", images = [":empty"], remote_tags = "//:package.json", tags = _MANUAL)
    _request_test(name = "tags_of_file_test", remote_tags = ["tags_of_file"], remote_tags_file = "package.json", target_under_test = ":tags_of_file")
    image_push(
        name = "one_file_for_two",
        image_tags = ["a", "b"],
        images = [":empty", ":main_default_image"],
        remote_tags = "//:package.json",
        tags = _MANUAL,
    )
    _fails("one_file_for_two", ["//test/rules:one_file_for_two: `remote_tags` is a file", "there are 2", "a target for each image"])
    native.filegroup(name = "two_files", srcs = ["//:package.json", "//:tsconfig.json"], tags = _MANUAL)
    wrong_layers = {
        "two_for_one": ({}, {}, ["//test/rules:two_files has 2 files, but the destination /etc/one is for one", "End the destination with a slash"]),
        "wrong_mode": ({"/etc/one": "0698"}, {}, ["the mode of /etc/one is \"0698\""]),
        "wrong_owner": ({}, {"/etc/one": "root"}, ["the owner of /etc/one is \"root\""]),
        "mode_of_nothing": ({"/etc/two": "0600"}, {}, ["modes has /etc/two, which is not in `files`"]),
    }
    for wrong, (modes, owners, parts) in wrong_layers.items():
        image_layer(name = wrong, files = {"/etc/one": ":two_files"}, modes = modes, owners = owners, tags = _MANUAL)
        _fails(wrong, parts)
    image_layer(
        name = "private_file",
        files = {"/etc/private": "//:package.json", "/etc/public": "//:package.json"},
        modes = {"/etc/private": "0600"},
        owners = {"/etc/private": "1000:100"},
        tags = _MANUAL,
    )
    _entries_test(
        name = "private_file_test",
        entries = [
            "[\"file\",\"etc/private\",\"package.json\",{\"gid\":100,\"mode\":384,\"uid\":1000}]",
            "[\"file\",\"etc/public\",\"package.json\"]",
        ],
        target_under_test = "private_file",
    )
    native.genrule(
        name = "generated",
        outs = ["generated.sh"],
        cmd = "printf '#!/bin/sh\\necho \"$$0 $$*\"\\n' >$@",
        executable = True,
        tags = _MANUAL,
    )
    native.alias(name = "generated_alias", actual = ":generated", tags = _MANUAL)
    programs = {
        "by_alias": ":generated_alias",
        "by_copy": ":copied",
        "by_file": "program.sh",
        "by_genrule": ":generated",
        "by_output": "generated.sh",
    }
    native_binary(name = "copied", src = "program.sh", out = "copied.sh", tags = _MANUAL)
    for how, binary in programs.items():
        pipeline(name = how, base = ":empty", binary = binary)
        _carried_test(name = how + "_test", program = binary, target_under_test = how)
    native.filegroup(name = "one_file", srcs = ["program.sh"], tags = _MANUAL)
    python_library(name = "library", srcs = ["main.py"], tags = _MANUAL)
    refused = {
        "by_filegroup": (":one_file", "a filegroup with 1 file"),
        "by_library": (":library", "a python_library with"),
        "by_several_files": (":two_files", "a filegroup with 2 files"),
    }
    for how, (binary, found) in refused.items():
        words = ["//test/rules:{}: `binary` is //test/rules{}".format(how, binary), found, "Name an executable target"]
        binary_layers(name = how + "_layers", binary = binary, program_name = how, tags = _MANUAL)
        _fails(how + "_layers", words)
        pipeline_local(name = how + "_local", program = binary, tags = _MANUAL)
        _fails(how + "_local", words)
    ts_binary(name = "two_npm", entry_point = "main.ts", deps = ["@slipway_dev_npm//:yaml", "@slipway_npm//:yargs"], tags = _MANUAL)
    _fails("two_npm", ["//test/rules:two_npm", "come from several repositories", "one package.json"])
    pipeline(
        name = "bundled",
        base = ":empty",
        entry_point = "main.ts",
        deps = ["@slipway_dev_npm//:yaml"],
        platforms = ["//bazel/platforms:linux_amd64", "//bazel/platforms:linux_arm64"],
    )
    _index_test(name = "index_test", target_under_test = ":bundled_default_image")
    native.filegroup(name = "bundled_layout", srcs = [":bundled_default_image"], output_group = "oci_layout", tags = _MANUAL)
    odd_program(name = "odd_program", data = ["main.ts", ":node", "@slipway_dev_npm//:yaml"], tags = _LINKS)
    runtime_file(name = "node", tags = _MANUAL)
    binary_layers(name = "odd_layers", binary = ":odd_program", program_name = "odd", tags = _LINKS)
    _separate_inputs_test(name = "separate_inputs_test", target_under_test = ":odd_layers")
    ts_binary(
        name = "mixed_program",
        data = [":odd_program", ":two_files", "main.py", "@slipway_dev_npm//:pure-rand"],
        entry_point = "main.ts",
        deps = ["@slipway_dev_npm//:fast-check", "@slipway_dev_npm//:yaml"],
        tags = _MANUAL,
    )
    for how, file_layers in {"depsets": {}, "files": {"nothing/**": "nothing"}}.items():
        binary_layers(
            name = "layers_by_" + how,
            binary = ":mixed_program",
            program_name = "mixed",
            excludes = ["**/*.txt"],
            file_layers = file_layers,
            tags = _MANUAL,
        )
    binary_layers(
        name = "chosen_layers",
        binary = ":odd_program",
        program_name = "chosen",
        excludes = ["**/yaml/**", "**/link", "*/*/*/*/tree/folder/**", "slipway_*/**", "*slipway_node_*/node", "**/*.txt"],
        file_layers = {"**/tree": "trees", "**/node_modules/**": "first_party"},
        tags = _LINKS,
    )
    binary_layers(name = "unnamed_layers", binary = ":odd_program", program_name = "odd", file_layers = {"**": "a/b"}, tags = _MANUAL)
    _fails("unnamed_layers", ["//test/rules:unnamed_layers", "\"a/b\" is not a valid name for a layer", "Use letters"])
    for version in ["3.11", "3.12"]:
        python_library(name = "python_for_" + version.replace(".", "_"), python_version = version, tags = _MANUAL)
    py_pipeline(
        name = "python",
        base = ":empty",
        main = "main.py",
        deps = [":python_for_3_11"],
    )
    _image_test(
        name = "python_layers_test",
        layers = ["python_layers.first_party.tar.gz"],
        target_under_test = ":python_default_image",
    )
    py_pipeline(
        name = "packaged",
        base = ":empty",
        main = "main.py",
        platforms = ["//bazel/platforms:linux_amd64", "//bazel/platforms:linux_arm64"],
        deps = ["@slipway_test_pip//:packages"],
    )
    native.filegroup(name = "packaged_layout", srcs = [":packaged_default_image"], output_group = "oci_layout", tags = _MANUAL)
    python_program(
        name = "mixed_python",
        main = "main.py",
        deps = [":python_for_3_11", ":python_for_3_12"],
        tags = _MANUAL,
    )
    _fails("mixed_python", ["//test/rules:mixed_python", "several versions of Python: 3.11, 3.12", "the same python_version"])
    own_layers = ["extra.tar.gz", "node_layer.tar.gz", "main_layers.third_party_3.tar.gz", "main_layers.first_party.tar.gz"]
    for target, layers in {
        "bundled_default_image": ["node_layer.tar.gz", "bundled_layers.third_party_3.tar.gz", "bundled_layers.first_party.tar.gz"] * 2,
        "main_default_image": own_layers,
        "main_default_push": own_layers,
        "main_slim_push": own_layers,
    }.items():
        _layers_tests(target, layers)

    # Its layer is a source file, which no cache has.
    image_import(
        name = "local_base",
        blobs = ["main.py"],
        config = "//:package.json",
        descriptor = "//:package.json",
        layers = ["main.py"],
        manifest = "//:package.json",
        tags = _MANUAL,
    )
    image_push(name = "local_base_push", images = [":local_base"], tags = _MANUAL)
    _layers_tests("local_base_push", [], source_layers = ["main.py"])
    for what, test in _CACHE_TESTS.items():
        test(name = "cache_{}_test".format(what), part = _CACHE_FAILURES[what][1], target_under_test = "//bazel/private/run:run_tools")
    native.test_suite(
        name = name,
        tests = [target for target in native.existing_rules() if target.endswith("_test")],
    )
