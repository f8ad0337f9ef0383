"""Python programs as pipelines. This file does not load rules_python; if you use it, pass its rule."""

load("//bazel/private/pipeline:py_pipeline.bzl", _py_pipeline = "py_pipeline")
load("//bazel/private/python:python_library.bzl", _python_library = "python_library")

py_pipeline = _py_pipeline
python_library = _python_library
