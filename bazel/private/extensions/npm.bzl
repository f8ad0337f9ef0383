"""The module extension that brings npm packages for `ts_binary` and `pipeline`."""

load("//bazel/private/npm:npm_repository.bzl", "NPM_ATTRS", "npm_repository")

def _npm_impl(mctx):
    for module in mctx.modules:
        for tag in module.tags.install:
            npm_repository(name = tag.name, **{attribute: getattr(tag, attribute) for attribute in NPM_ATTRS})
    return mctx.extension_metadata(reproducible = True)

npm = module_extension(
    implementation = _npm_impl,
    doc = """npm packages for programs that do not use rules_js.

```starlark
npm = use_extension("@slipway//bazel:extensions.bzl", "npm")
npm.install(name = "npm", package_json = "//:package.json", pnpm_lock = "//:pnpm-lock.yaml")
use_repo(npm, "npm")
```
""",
    tag_classes = {
        "install": tag_class(
            doc = "Installs what one lock file pins.",
            attrs = {"name": attr.string(mandatory = True, doc = "Name of the repository: its packages are `@name//:package`.")} | NPM_ATTRS,
        ),
    },
)
