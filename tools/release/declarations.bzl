"""Generates TypeScript declarations with the TypeScript compiler."""

load("//bazel/private/node:node_toolchain.bzl", "NODE_TOOL_TOOLCHAIN")  # buildifier: disable=bzl-visibility

def _declarations_impl(ctx):
    output = ctx.actions.declare_directory(ctx.label.name)
    compiler = ctx.attr.deps[0].label.workspace_root + "/node_modules"
    args = ctx.actions.args()
    args.add(compiler + "/typescript/bin/tsc")
    args.add("--ignoreConfig")
    args.add(ctx.file.entry_point)
    args.add_all(["--declaration", "--emitDeclarationOnly", "--strict", "--skipLibCheck", "--allowImportingTsExtensions", "--preserveSymlinks"])
    args.add_all(["--target", "es2024", "--lib", "es2024,esnext.disposable", "--module", "nodenext", "--types", "node"])
    args.add_all(["--typeRoots", compiler + "/@types", "--rootDir", ctx.attr.root])
    args.add_all("--outDir", [output], expand_directories = False)
    node = ctx.toolchains[NODE_TOOL_TOOLCHAIN].slipway_node.node
    files = [target[DefaultInfo].files for target in ctx.attr.srcs + ctx.attr.deps]
    ctx.actions.run(
        executable = node,
        toolchain = NODE_TOOL_TOOLCHAIN,
        arguments = [args],
        inputs = depset([ctx.file.entry_point], transitive = files),
        outputs = [output],
        mnemonic = "TypeScriptDeclarations",
        progress_message = "Writing declarations for %{label}",
    )
    return [DefaultInfo(files = depset([output]))]

declarations = rule(
    implementation = _declarations_impl,
    doc = "A directory with the `.d.ts` files of a module and its imports.",
    attrs = {
        "deps": attr.label_list(mandatory = True, doc = "npm packages: typescript, and packages with types that the modules need."),
        "entry_point": attr.label(mandatory = True, allow_single_file = [".ts"], doc = "The module."),
        "root": attr.string(mandatory = True, doc = "The folder to which paths in the directory are relative."),
        "srcs": attr.label_list(allow_files = True, doc = "The modules that it imports."),
    },
    toolchains = [NODE_TOOL_TOOLCHAIN],
)
