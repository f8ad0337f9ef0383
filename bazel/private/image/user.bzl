"""The user of images."""

# The user that programs run as where the base image names none, and its home.
USER = struct(name = "slipway", uid = 1000, gid = 1000, home = "/home/slipway", shell = "/bin/sh")
