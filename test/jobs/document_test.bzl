"""Tests that the build checks the documents of jobs."""

load("@bazel_skylib//lib:unittest.bzl", "analysistest", "asserts")

def _checked_impl(ctx):
    env = analysistest.begin(ctx)
    target = analysistest.target_under_test(env)
    [document] = target[DefaultInfo].files.to_list()
    [marker] = target[OutputGroupInfo]._validation.to_list()
    [check] = [action for action in analysistest.target_actions(env) if action.mnemonic == "CheckDocument"]
    asserts.equals(env, [marker], check.outputs.to_list())
    asserts.equals(env, ["job", document.path, ctx.attr.called or document.path, marker.path], check.argv[1:])
    return analysistest.end(env)

_checked_test = analysistest.make(
    _checked_impl,
    attrs = {"called": attr.string(doc = "The document's name in errors. Default: its path.")},
)

def document_test_suite(name):
    """Declares a test for each form of a job.

    Args:
      name: string, the name of the suite.
    """
    _checked_test(name = "written_document_test", target_under_test = "program_job_deployment")
    _checked_test(name = "own_document_test", target_under_test = "document_job_deployment", called = "test/jobs/half.yaml")
    native.test_suite(name = name, tests = ["written_document_test", "own_document_test"])
