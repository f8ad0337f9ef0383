"""Python programs as pipelines. Nothing of rules_python is loaded here: who uses it passes its rule."""

load("//bazel/private/pipeline:py_pipeline.bzl", _py_pipeline = "py_pipeline")
load("//bazel/private/python:python_library.bzl", _python_library = "python_library")

py_pipeline = _py_pipeline
python_library = _python_library
