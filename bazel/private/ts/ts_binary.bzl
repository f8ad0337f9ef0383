"""TypeScript programs with npm packages."""

load("//bazel/private:build_tool.bzl", "BUILD_TOOL_TOOLCHAIN", "build_tool_args", "run_build_tool")
load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private:module_choice.bzl", "module_targets")
load("//bazel/private:runfiles.bzl", "launcher_script")
load("//bazel/private:runfiles_parts.bzl", "RunfilesPartsInfo", "merge_parts")
load("//bazel/private:runtime_info.bzl", "NODE_PATH", "RuntimeInfo")
load("//bazel/private/node:node_toolchain.bzl", "NODE_RUNTIME_TOOLCHAIN")
load(":esbuild.bzl", "ESBUILD_ATTRS", "GENERATED_SOURCES", "SOURCE_SCHEME", "bundle")

def _npm_repository(ctx, deps):
    """The npm repository of all packages, or None without packages."""
    repositories = {target.label.repo_name: target.label for target in deps}
    if len(repositories) > 1:
        fail("{}: its npm packages come from several repositories: {}.\nPut them into one package.json, because Node searches one node_modules folder.".format(
            ctx.label,
            ", ".join([str(label) for label in repositories.values()]),
        ))
    return repositories.keys()[0] if repositories else None

def _check_imports(ctx, metafile, sources):
    """Declares the action that fails for an import of a package that is not in `deps`."""
    marker = ctx.actions.declare_file(ctx.label.name + ".imports")
    args = build_tool_args(ctx, "imports")
    args.add(metafile, format = "--metafile=%s")
    args.add(marker, format = "--output=%s")
    args.add(label_text(ctx.label), format = "--target=%s")
    if ctx.attr.deps:
        # The last part of the canonical name is the name that users know.
        npm = ctx.attr.deps[0].label.repo_name
        args.add(npm.split("~")[-1].split("+")[-1], format = "--repository=%s")
    args.add_all([target.label.name for target in ctx.attr.deps], format_each = "--package=%s")
    run_build_tool(
        ctx,
        args,
        inputs = depset([metafile], transitive = [sources]),
        outputs = [marker],
        mnemonic = "TypeScriptImports",
        progress_message = "Checking the imports of %{label}",
    )
    return marker

def _ts_binary_impl(ctx):
    node = ctx.toolchains[NODE_RUNTIME_TOOLCHAIN].slipway_node.node
    deps = module_targets(ctx, ctx.attr.deps)
    npm = _npm_repository(ctx, deps)
    main = ctx.actions.declare_file(ctx.label.name + ".mjs")
    sdk = ctx.file._sdk
    sources = depset([ctx.file.entry_point, sdk, ctx.file._stack_trace, ctx.file._start], transitive = [target[DefaultInfo].files for target in ctx.attr.srcs])
    metafile = ctx.actions.declare_file(ctx.label.name + ".imports.json")
    outputs = bundle(
        ctx,
        entry_point = ctx.file._start,
        inputs = sources,
        output = main,
        metafile = metafile,
        external_packages = True,
        alias = {
            "slipway": sdk.path,
            "slipway-program": ctx.file.entry_point.path,
            "slipway-stack-trace": ctx.file._stack_trace.path,
        },
        source_map = True,
        define = {
            "slipwayGenerated": json.encode(GENERATED_SOURCES),
            "slipwayScheme": json.encode(SOURCE_SCHEME),
            "slipwaySdk": json.encode(sdk.path.replace(sdk.root.path, GENERATED_SOURCES, 1) if sdk.root.path else sdk.path),
        },
    )

    # Node searches for packages in the node_modules above the program, so the program has to be in the npm repository.
    folder = npm or ctx.workspace_name
    place = {"/".join([part for part in [folder, ctx.label.package, file.basename] if part]): file for file in outputs}
    module = [path for path, file in place.items() if file == main][0]

    script = ctx.actions.declare_file(ctx.label.name)
    command = [
        "{runfiles}/" + NODE_PATH,
        # The program is a link in the runfiles tree, and the packages are beside the link.
        "--preserve-symlinks-main",
        "--enable-source-maps",
    ] + ctx.attr.node_options + ["{runfiles}/" + module]
    environment = {"RUNFILES_DIR": "{runfiles}"}
    if ctx.workspace_name != "_main":
        # With a WORKSPACE file the main repository has a name, which the SDK needs.
        environment["SLIPWAY_MAIN_REPOSITORY"] = ctx.workspace_name
    ctx.actions.write(
        script,
        launcher_script(command, environment = environment),
        is_executable = True,
    )

    files = [target[DefaultInfo].files for target in ctx.attr.data + deps]
    runfiles = ctx.runfiles([script], transitive_files = depset(transitive = files), root_symlinks = place | {NODE_PATH: node})
    runfiles = runfiles.merge_all([target[DefaultInfo].default_runfiles for target in ctx.attr.data])
    return [
        DefaultInfo(executable = script, files = depset([script, main]), runfiles = runfiles),
        RuntimeInfo(file = node),
        merge_parts(ctx.attr.data + deps, first_party = [script]),
        RunEnvironmentInfo(environment = ctx.attr.env),
        OutputGroupInfo(_validation = depset([_check_imports(ctx, metafile, sources)])),
    ]

ts_binary = rule(
    implementation = _ts_binary_impl,
    executable = True,
    provides = [RunfilesPartsInfo, RuntimeInfo],
    doc = """A TypeScript or JavaScript program for Node. Slipway bundles the entry point and its imports into one module; npm packages stay beside it.

```starlark
ts_binary(
    name = "report",
    entry_point = "report.ts",
    srcs = ["table.ts"],
    deps = ["@npm//:csv-parse"],
)
```

Modules are ES modules. Import a file by its name, with its extension (`./table.ts`) or without. Import the SDK with `import … from "slipway"`.
Every imported package must be in `deps`. Slipway does not check types: use your editor, or `tsc` in a test.

Errors: an import that is neither in `srcs` nor in `deps`, with its file and line; packages in `deps` from more than one repository.
""",
    attrs = {
        "entry_point": attr.label(mandatory = True, allow_single_file = [".ts", ".mts", ".js", ".mjs", ".tsx", ".jsx"], doc = "The module that starts."),
        "srcs": attr.label_list(allow_files = [".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", ".json"], doc = "Modules that the program imports."),
        "deps": attr.label_list(doc = "npm packages (`@npm//:NAME`), all from one repository."),
        "data": attr.label_list(allow_files = True, doc = "Files and programs that the program finds in its runfiles."),
        "env": attr.string_dict(doc = "Environment variables of `bazel run`. For an image, set `env` of `image` or `pipeline`."),
        "node_options": attr.string_list(doc = "Options of Node, for example `--max-old-space-size=4096`."),
        # These two are sources: esbuild writes each module's path into the bundle, and the path of a generated file has a configuration.
        "_stack_trace": attr.label(default = Label("//src:stack_trace"), allow_single_file = True),
        "_start": attr.label(default = Label(":start.mjs"), allow_single_file = True),
        "_sdk": attr.label(default = Label("//src:sdk"), allow_single_file = True),
    } | ESBUILD_ATTRS,
    toolchains = [BUILD_TOOL_TOOLCHAIN, NODE_RUNTIME_TOOLCHAIN],
)
