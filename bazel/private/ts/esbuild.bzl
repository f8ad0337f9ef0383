"""The bundling action."""

# CommonJS packages in an ES module bundle call `require` for Node's built-in modules.
_REQUIRE = "import{createRequire as __slipwayRequire}from\"node:module\";const require=__slipwayRequire(import.meta.url);"

# The scheme of source names in source maps. Without one, Node resolves names relative to the map.
SOURCE_SCHEME = "workspace:/"

# Replaces `bazel-out/CONFIGURATION/bin` in source maps. It has the same number of segments.
GENERATED_SOURCES = "bazel-out/-/bin"

ESBUILD_ATTRS = {
    "_esbuild": attr.label(
        default = Label("@slipway_esbuild//:node_modules/esbuild/bin/esbuild"),
        allow_single_file = True,
        executable = True,
        cfg = "exec",
    ),
}

def bundle(ctx, entry_point, inputs, output, node_path = None, splitting = False, external_packages = False, alias = {}, source_map = False, minify = False, library = False, metafile = None, format = "esm", external = [], define = {}, browser = False):
    """Declares the action that bundles a TypeScript or JavaScript program for Node.

    Args:
      ctx: the rule context, with ESBUILD_ATTRS.
      entry_point: File.
      inputs: depset of Files.
      output: File, or a directory for `splitting`.
      node_path: string, a further node_modules folder for packages, besides those above the importing file.
      splitting: whether dynamically imported modules go into separate files.
      external_packages: whether npm packages stay outside the bundle. Node then finds them at run time.
      alias: dict of package name to the path of the module that replaces it.
      source_map: whether to write a source map beside the output and return it. It names sources by SOURCE_SCHEME and their path in the workspace.
      library: whether the output is bundled into a program later.
      metafile: File for a description of the bundle, or None.
      define: dict of name to the expression that replaces it.
      browser: whether the program runs in browsers instead of Node.
      external: list of strings: imports to keep as written.
      format: `esm` or `cjs`. Node loads `cjs` faster, but it does not support `splitting`.
      minify: whether to remove white space and shorten syntax. Names stay, for stack traces.

    Returns:
      list of Files.
    """
    args = ctx.actions.args()
    args.add(entry_point)
    args.add_all([
        "--bundle",
        "--platform=browser" if browser else "--platform=node",
        "--format=" + format,
        "--target=es2024" if browser else "--target=node24",
        "--log-level=warning",
        # In a sandbox, inputs are links whose real paths differ between machines.
        "--preserve-symlinks",
        "--legal-comments=none",
    ])
    if format == "esm" and not library and not browser:
        args.add("--banner:js=" + _REQUIRE)
    args.add_all(["--define:{}={}".format(name, value) for name, value in define.items()])
    args.add_all(external, format_each = "--external:%s")
    if minify:
        args.add_all(["--minify-whitespace", "--minify-syntax"])
    if external_packages:
        args.add("--packages=external")
    for name, path in alias.items():
        args.add("--alias:{}=./{}".format(name, path))
    outputs = [output]
    if splitting:
        args.add_all(["--splitting", "--out-extension:.js=.mjs", "--entry-names=[name]", "--chunk-names=[name]-[hash]"])
        args.add_all([output], expand_directories = False, format_each = "--outdir=%s")
    else:
        args.add(output, format = "--outfile=%s")
    if source_map:
        map = ctx.actions.declare_file(output.basename + ".map", sibling = output)
        outputs.append(map)

        # esbuild names sources relative to the output, whose path has a configuration that differs between machines.
        folder = output.dirname.removeprefix(output.root.path)
        args.add_all(["--sourcemap=linked", "--source-root={}{}{}/".format(SOURCE_SCHEME, GENERATED_SOURCES, folder)])
    if metafile:
        args.add(metafile, format = "--metafile=%s")
    ctx.actions.run(
        executable = ctx.executable._esbuild,
        arguments = [args],
        inputs = inputs,
        outputs = outputs + ([metafile] if metafile else []),
        env = {"NODE_PATH": node_path} if node_path else {},
        mnemonic = "TypeScriptBundle",
        progress_message = "Bundling %{label}",
    )
    return outputs
