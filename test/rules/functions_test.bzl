"""Tests of functions of the rules."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//bazel/private:common_attributes.bzl", "unknown_attributes")  # buildifier: disable=bzl-visibility
load("//bazel/private:glob.bzl", "compile_pattern", "pattern_matches")  # buildifier: disable=bzl-visibility
load("//bazel/private:third_party.bzl", "THIRD_PARTY_LAYERS", "package_of", "third_party_layer")  # buildifier: disable=bzl-visibility
load("//bazel/private/python:packages_repository.bzl", "unlocked_requirement")  # buildifier: disable=bzl-visibility

def _pattern_impl(ctx):
    env = unittest.begin(ctx)
    for pattern, path, expected in [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a", "b", False),
        ("*", "a", True),
        ("*", "a/b", False),
        ("*.map", "a.map", True),
        ("*.map", "a.maps", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*a*b*", "xaxxbx", True),
        ("*a*b*", "xbxxax", False),
        ("**", "a/b/c", True),
        ("**/c", "c", True),
        ("**/c", "a/b/c", True),
        ("**/c", "a/b/cc", False),
        ("a/**", "a/b/c", True),
        ("a/**", "b/a/c", False),
        ("a/**/c", "a/c", True),
        ("a/**/c", "a/b/b/c", True),
        ("**/b/**/*.js", "a/b/c/d.js", True),
        ("**/b/**/*.js", "a/c/d.js", False),
    ]:
        asserts.equals(env, expected, pattern_matches(compile_pattern(pattern), path), "{} and {}".format(pattern, path))
    return unittest.end(env)

_pattern_test = unittest.make(_pattern_impl)

def _package_impl(ctx):
    env = unittest.begin(ctx)
    for path, package in [
        ("npm/node_modules/yaml/index.js", "yaml"),
        ("npm/node_modules/@scope/name/index.js", "@scope/name"),
        ("npm/node_modules/a/node_modules/b/index.js", "a"),
        ("_main/web/node_modules/link", "link"),
        ("_main/node_modules/@scope/link", "@scope/link"),
        ("_main/node_modules/.aspect_rules_js/yaml@2.0.0/node_modules/yaml", "yaml"),
        ("_main/node_modules/.aspect_rules_js/yaml@2.0.0_peer@1.0.0/node_modules/peer", "yaml"),
        ("_main/node_modules/.aspect_rules_js/@scope+name@2.0.0/node_modules/@scope/name/index.js", "@scope/name"),
        ("rules_python~~pip~pip_311_requests/site-packages/requests/api.py", "pip_311_requests"),
        ("rules_python++pip+pip_311_requests/site-packages/requests/api.py", "pip_311_requests"),
    ]:
        asserts.equals(env, package, package_of(path), path)

    # Names with a common prefix spread over all layers too.
    numbers = {third_party_layer("@scope/name-{}".format(number)): True for number in range(100)}
    asserts.equals(env, THIRD_PARTY_LAYERS, len(numbers))
    return unittest.end(env)

_package_test = unittest.make(_package_impl)

def _unlocked_impl(ctx):
    env = unittest.begin(ctx)
    lock = "# made by a tool\npandas==2.2.0 \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\n    # via -r requirements.in\nnumpy==1.26.4 ; python_version < '3.12'\nruamel-yaml==1.0.post1\n"
    for declared, unlocked in [
        ("# none\n\n-r more.in\n--no-binary=x\n", None),
        ("Pandas\nruamel.yaml>=1\n", None),
        ("pandas[excel]==2.2  # why\n", None),
        ("pandas == 2.2.0\nnumpy==1.26.*\n", None),
        ("ruamel_yaml==1.0.post1\n", None),
        ("old; python_version < '3'\n./here\ngit+https://example.com/x@main\n", None),
        ("pandas\nrequests>=2,<3\n", "requests>=2,<3"),
        ("pandas==2.2.1\n", "pandas==2.2.1"),
        ("requests @ https://example.com/r.whl\n", "requests @ https://example.com/r.whl"),
    ]:
        asserts.equals(env, unlocked, unlocked_requirement(declared, lock), declared)
    return unittest.end(env)

_unlocked_test = unittest.make(_unlocked_impl)

def _attributes_impl(ctx):
    env = unittest.begin(ctx)
    own = ["entry_point", "srcs", "image_layers"]
    asserts.equals(env, None, unknown_attributes("x //:a", {"srcs": [], "testonly": True, "tags": []}, own))
    for given, meant in {
        "entrypont": "Did you mean entry_point?",
        "imageLayers": "Did you mean image_layers?",
        "scrs": "Did you mean srcs?",
        "visibilty": "Did you mean visibility?",
    }.items():
        said = unknown_attributes("x //:a", {given: 1}, own)
        asserts.true(env, said.startswith("x //:a: there is no attribute {}.\n{} ".format(given, meant)), said)
    asserts.false(env, "Did you mean" in unknown_attributes("x //:a", {"zebra_count": 1}, own))
    return unittest.end(env)

_attributes_test = unittest.make(_attributes_impl)

def functions_test_suite(name):
    """Declares the tests.

    Args:
      name: string, the name of the suite.
    """
    _attributes_test(name = "attributes_test")
    _package_test(name = "package_test")
    _pattern_test(name = "pattern_test")
    _unlocked_test(name = "unlocked_test")
    native.test_suite(name = name, tests = ["attributes_test", "package_test", "pattern_test", "unlocked_test"])
