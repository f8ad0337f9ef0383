"""The module extension for npm packages, for `ts_binary` and `pipeline`."""

load("//bazel/private:module_choice.bzl", "declare_by_module")
load("//bazel/private/npm:npm_repository.bzl", "NPM_ATTRS", "npm_repository")

def _declare(name, tag):
    npm_repository(name = name, **{attribute: getattr(tag, attribute) for attribute in NPM_ATTRS})

def _npm_impl(mctx):
    declare_by_module(mctx, "npm packages", "install", "package_json", _declare)
    return mctx.extension_metadata(reproducible = True)

npm = module_extension(
    implementation = _npm_impl,
    doc = """npm packages for programs that do not use rules_js.

```starlark
npm = use_extension("@slipway//bazel:extensions.bzl", "npm")
npm.install(name = "npm", package_json = "//:package.json", pnpm_lock = "//:pnpm-lock.yaml")
use_repo(npm, "npm")
```

Several modules can use the same name. A `ts_binary` or `pipeline` gets the packages that its own module declares. Rules of other rulesets get the
root module's packages.
""",
    tag_classes = {
        "install": tag_class(
            doc = "Installs the packages of one lock file.",
            attrs = {"name": attr.string(mandatory = True, doc = "Name of the repository. Its packages are `@NAME//:PACKAGE`.")} | NPM_ATTRS,
        ),
    },
)
