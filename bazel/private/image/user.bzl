"""The user of images."""

# Programs run as this user if the base image sets no user.
USER = struct(name = "slipway", uid = 1000, gid = 1000, home = "/home/slipway", shell = "/bin/sh")
