"""The public rules for programs, images, pipelines, jobs and services."""

load("//bazel/private/image:image_from_layout.bzl", _image_from_layout = "image_from_layout")
load("//bazel/private/image:image_index_info.bzl", _ImageIndexInfo = "ImageIndexInfo")
load("//bazel/private/image:image_info.bzl", _ImageInfo = "ImageInfo")
load("//bazel/private/image:image_layer.bzl", _image_layer = "image_layer")
load("//bazel/private/image:image_macro.bzl", _image = "image")
load("//bazel/private/job:job.bzl", _job = "job")
load("//bazel/private/pipeline:pipeline.bzl", _pipeline = "pipeline")
load("//bazel/private/run:image_load.bzl", _image_load = "image_load")
load("//bazel/private/run:image_push.bzl", _image_push = "image_push")
load("//bazel/private/run:image_push_all.bzl", _image_push_all = "image_push_all")
load("//bazel/private/service:service.bzl", _service = "service")
load("//bazel/private/ts:ts_binary.bzl", _ts_binary = "ts_binary")

image = _image
image_from_layout = _image_from_layout
image_layer = _image_layer
image_load = _image_load
image_push = _image_push
image_push_all = _image_push_all
job = _job
pipeline = _pipeline
service = _service
ts_binary = _ts_binary

ImageIndexInfo = _ImageIndexInfo
ImageInfo = _ImageInfo
