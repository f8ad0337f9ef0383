"""worker.py ADDRESS FOLDER READY: a worker of the farm, one action at a time, each in a folder of its own. Writes a line into READY once it works.

It implements the bot's side of the Remote Workers API v1test2, and the inputs, outputs, folders and links of REAPI v2. There is no sandbox beyond the
folder, and an environment of the command's variables alone.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import uuid

import grpc
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as re
from buildgrid._protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as re_grpc
from buildgrid._protos.google.bytestream import bytestream_pb2, bytestream_pb2_grpc
from buildgrid._protos.google.devtools.remoteworkers.v1test2 import bots_pb2, bots_pb2_grpc

# A shell lets its background processes ignore these, and actions would inherit that.
for number in (signal.SIGINT, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)

address, folder, ready_path = sys.argv[1:]
channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)])
cas = re_grpc.ContentAddressableStorageStub(channel)
stream = bytestream_pb2_grpc.ByteStreamStub(channel)
bots = bots_pb2_grpc.BotsStub(channel)
kept = os.path.join(folder, "kept")
os.makedirs(kept, exist_ok=True)


def digest_of(path):
    whole, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            whole.update(block)
            size += len(block)
    return re.Digest(hash=whole.hexdigest(), size_bytes=size)


def fetch(digest):
    """Path of a blob in this worker's own store."""
    path = os.path.join(kept, digest.hash)
    if os.path.exists(path):
        return path
    new = path + ".new"
    with open(new, "wb") as file:
        if digest.size_bytes:
            request = bytestream_pb2.ReadRequest(resource_name=f"blobs/{digest.hash}/{digest.size_bytes}")
            for part in stream.Read(request):
                file.write(part.data)
    os.rename(new, path)
    return path


def message(kind, digest):
    """A blob that is a message."""
    with open(fetch(digest), "rb") as file:
        return kind.FromString(file.read())


def store(path, digest):
    """Uploads a file that the farm lacks."""
    missing = cas.FindMissingBlobs(re.FindMissingBlobsRequest(blob_digests=[digest])).missing_blob_digests
    if not missing:
        return

    def parts():
        name, offset = f"uploads/{uuid.uuid4()}/blobs/{digest.hash}/{digest.size_bytes}", 0
        with open(path, "rb") as file:
            while True:
                data = file.read(1 << 20)
                done = offset + len(data) == digest.size_bytes
                yield bytestream_pb2.WriteRequest(resource_name=name, write_offset=offset, data=data, finish_write=done)
                offset += len(data)
                if done:
                    return

    stream.Write(parts())


def store_bytes(data):
    path = os.path.join(kept, "bytes")
    with open(path, "wb") as file:
        file.write(data)
    digest = digest_of(path)
    store(path, digest)
    return digest


def lay(directory, path):
    """Writes the inputs of an action."""
    os.makedirs(path, exist_ok=True)
    for node in directory.files:
        target = os.path.join(path, node.name)
        shutil.copyfile(fetch(node.digest), target)
        os.chmod(target, 0o555 if node.is_executable else 0o444)
    for node in directory.directories:
        lay(message(re.Directory, node.digest), os.path.join(path, node.name))
    for node in directory.symlinks:
        os.symlink(node.target, os.path.join(path, node.name))


def tree_of(path, children):
    """The message for a folder. Uploads its files, and adds the folders below it to `children`."""
    directory = re.Directory()
    for name in sorted(os.listdir(path)):
        full = os.path.join(path, name)
        if os.path.islink(full):
            directory.symlinks.add(name=name, target=os.readlink(full))
        elif os.path.isdir(full):
            child = tree_of(full, children)
            children.append(child)
            data = child.SerializeToString()
            directory.directories.add(name=name, digest=re.Digest(hash=hashlib.sha256(data).hexdigest(), size_bytes=len(data)))
        else:
            digest = digest_of(full)
            store(full, digest)
            directory.files.add(name=name, digest=digest, is_executable=os.access(full, os.X_OK))
    return directory


def collect(root, paths, result):
    """Uploads the outputs."""
    for path in paths:
        full = os.path.join(root, path)
        if os.path.islink(full):
            result.output_symlinks.add(path=path, target=os.readlink(full))
        elif os.path.isdir(full):
            children = []
            tree = re.Tree(root=tree_of(full, children))
            tree.children.extend(children)
            result.output_directories.add(path=path, tree_digest=store_bytes(tree.SerializeToString()))
        elif os.path.exists(full):
            digest = digest_of(full)
            store(full, digest)
            result.output_files.add(path=path, digest=digest, is_executable=os.access(full, os.X_OK))


def run(action):
    """Runs an action, and gives its result."""
    command = message(re.Command, action.command_digest)
    root = os.path.join(folder, "action-" + uuid.uuid4().hex)
    lay(message(re.Directory, action.input_root_digest), root)
    cwd = os.path.join(root, command.working_directory)
    os.makedirs(cwd, exist_ok=True)
    paths = list(command.output_paths) or list(command.output_files) + list(command.output_directories)
    for path in paths:
        os.makedirs(os.path.dirname(os.path.join(cwd, path)), exist_ok=True)
    for path in command.output_directories:
        os.makedirs(os.path.join(cwd, path), exist_ok=True)
    env = {each.name: each.value for each in command.environment_variables}
    result = re.ActionResult()
    result.execution_metadata.worker = os.path.basename(folder)
    result.execution_metadata.execution_start_timestamp.GetCurrentTime()
    outputs = [os.path.join(folder, name) for name in ("stdout", "stderr")]
    with open(outputs[0], "wb") as out, open(outputs[1], "wb") as err:
        limit = action.timeout.seconds or 600
        try:
            done = subprocess.run(list(command.arguments), cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=limit, check=False)
            result.exit_code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            err.write(f"{error}\n".encode())
            result.exit_code = 127
    result.execution_metadata.execution_completed_timestamp.GetCurrentTime()
    collect(cwd, paths, result)
    result.stdout_digest.CopyFrom(digest_of(outputs[0]))
    store(outputs[0], result.stdout_digest)
    result.stderr_digest.CopyFrom(digest_of(outputs[1]))
    store(outputs[1], result.stderr_digest)
    subprocess.run(["chmod", "-R", "u+w", root], check=False)
    shutil.rmtree(root, ignore_errors=True)
    print(result.exit_code, " ".join(command.arguments)[:200], flush=True)
    return result


def main():
    session = bots_pb2.BotSession(bot_id=uuid.uuid4().hex, status=bots_pb2.OK)
    device = session.worker.devices.add(handle="this")
    device.properties.add(key="OSFamily", value="linux")
    session = bots.CreateBotSession(bots_pb2.CreateBotSessionRequest(parent="", bot_session=session), timeout=30)
    with open(ready_path, "w") as ready:
        ready.write("ready\n")
    while True:
        for lease in session.leases:
            if lease.state != bots_pb2.ACTIVE:
                continue
            action = re.Action()
            if not lease.payload.Unpack(action):
                digest = re.Digest()
                lease.payload.Unpack(digest)
                action = message(re.Action, digest)
            try:
                lease.result.Pack(run(action))
                lease.status.code = 0
            except Exception as error:  # noqa: BLE001
                print("failed:", repr(error), flush=True)
                lease.status.code, lease.status.message = 13, repr(error)
            lease.state = bots_pb2.COMPLETED
        try:
            # The server answers once it has an action, at the latest at the deadline.
            session = bots.UpdateBotSession(bots_pb2.UpdateBotSessionRequest(name=session.name, bot_session=session), timeout=30, wait_for_ready=True)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                raise


main()
