"""Repositories like those of `python_packages`, without downloads: one package is the same for every platform, the other is not."""

load("//bazel/private/python:packages_repository.bzl", "PYTHON_PLATFORMS", "packages_build_file", "python_packages_hub")  # buildifier: disable=bzl-visibility

_HUB = "slipway_test_pip"

def _packages_impl(rctx):
    rctx.file("site-packages/pure/__init__.py", "answer = 42\n")
    rctx.file("site-packages/native/__init__.py", "from native.code import answer\n")
    rctx.file("site-packages/native/code.so", "code for {}\n".format(rctx.attr.platform))
    rctx.file("requirements.txt", "pure==1\n")
    rctx.file("BUILD.bazel", packages_build_file(
        rctx.name,
        platform = rctx.attr.platform,
        python_version = "3.11",
        packages = {name: [name] for name in ["native", "pure"]},
    ))

_packages = repository_rule(
    implementation = _packages_impl,
    attrs = {"platform": attr.string(mandatory = True, values = PYTHON_PLATFORMS.keys(), doc = "The platform of the packages.")},
)

def pip_repositories():
    """Declares `@slipway_test_pip//:packages`."""
    repositories = {platform: "{}_{}".format(_HUB, platform) for platform in PYTHON_PLATFORMS}
    for platform, repository in repositories.items():
        _packages(name = repository, platform = platform)
    python_packages_hub(name = _HUB, repositories = repositories, requirements = Label("//test/e2e:sematic_requirements.txt"))

def _test_pip_impl(mctx):
    pip_repositories()
    return mctx.extension_metadata(reproducible = True)

test_pip = module_extension(implementation = _test_pip_impl)
