"""The bundling action."""

# CommonJS packages in an ES module bundle call `require` for what Node has built in.
_REQUIRE = "import{createRequire as __slipwayRequire}from\"node:module\";const require=__slipwayRequire(import.meta.url);"

# What the names of sources in source maps begin with. Node takes a relative name for one beside the map.
SOURCE_SCHEME = "workspace:/"

# Stands there for the folder of what actions make, `bazel-out/CONFIGURATION/bin`, with as many segments.
GENERATED_SOURCES = "bazel-out/-/bin"

ESBUILD_ATTRS = {
    "_esbuild": attr.label(
        default = Label("@slipway_esbuild//:node_modules/esbuild/bin/esbuild"),
        allow_single_file = True,
        executable = True,
        cfg = "exec",
    ),
}

def bundle(ctx, entry_point, inputs, output, node_path = None, splitting = False, external_packages = False, alias = {}, source_map = False, minify = False, library = False, metafile = None, format = "esm", external = [], define = {}):
    """Declares the action that bundles a TypeScript or JavaScript program for Node.

    Args:
      ctx: the rule context, with ESBUILD_ATTRS.
      entry_point: File.
      inputs: depset of Files.
      output: File, or a directory for `splitting`.
      node_path: string, a node_modules folder in which packages are found besides those above the importing file.
      splitting: whether what is imported dynamically goes into files of its own.
      external_packages: whether npm packages stay outside, to be found at run time.
      alias: dict of package name to the path of a module that stands for it.
      source_map: whether a source map is written beside the output (returned). Its sources are named by SOURCE_SCHEME and their path in the workspace.
      library: whether it is bundled into a program later.
      metafile: File for a description of the bundle, or None.
      define: dict of name to the expression that stands for it.
      external: list of strings: imports that stay as they are written.
      format: `esm`, or `cjs`, which Node loads faster; the latter cannot be split.
      minify: whether white space is dropped and syntax shortened; names stay, for stack traces.

    Returns:
      list of Files.
    """
    args = ctx.actions.args()
    args.add(entry_point)
    args.add_all([
        "--bundle",
        "--platform=node",
        "--format=" + format,
        "--target=node24",
        "--log-level=warning",
        # Inputs are links in a sandbox; their real paths differ from machine to machine.
        "--preserve-symlinks",
        "--legal-comments=none",
    ])
    if format == "esm" and not library:
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

        # esbuild names sources relative to the output. The configuration in that path is left out: it differs between machines.
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
