"""Writes two tiny OCI images, made of Debian's busybox-static, into one archive: localhost/pause:1, localhost/busybox:1."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

BUSYBOX = "/bin/busybox"
IMAGES = {"localhost/pause:1": {"Entrypoint": ["/bin/sleep", "2147483647"]}, "localhost/busybox:1": {"Cmd": ["/bin/sh"]}}
PASSWD = b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
blobs = {}


def descriptor(media_type, content):
    digest = hashlib.sha256(content).hexdigest()
    blobs[digest] = content
    return {"mediaType": "application/vnd.oci.image." + media_type, "digest": "sha256:" + digest, "size": len(content)}


def entry(tar, name, content=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    tar.addfile(info, io.BytesIO(content))


def make_layer():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("bin", "etc", "dev", "proc", "sys", "tmp", "var"):
            entry(tar, folder, type=tarfile.DIRTYPE, mode=0o1777 if folder == "tmp" else 0o755)
        with open(BUSYBOX, "rb") as program:
            entry(tar, "bin/busybox", program.read(), mode=0o755)
        for applet in subprocess.check_output([BUSYBOX, "--list"], text=True).split():
            if applet != "busybox":
                entry(tar, "bin/" + applet, type=tarfile.SYMTYPE, linkname="busybox")
        entry(tar, "etc/passwd", PASSWD)
    return packed.getvalue()


def main(out):
    layer = descriptor("layer.v1.tar", make_layer())
    manifests = []
    for name, config in IMAGES.items():
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {**config, "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("config.v1+json", json.dumps(config).encode()),
            "layers": [layer],
        }
        annotations = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
        manifests.append({**descriptor("manifest.v1+json", json.dumps(manifest).encode()), "annotations": annotations})
    with tarfile.open(out + ".part", "w") as tar:
        entry(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        entry(tar, "index.json", json.dumps({"schemaVersion": 2, "manifests": manifests}).encode())
        for digest, content in blobs.items():
            entry(tar, "blobs/sha256/" + digest, content)
    os.rename(out + ".part", out)


main(sys.argv[1])
