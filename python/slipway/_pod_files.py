"""Blobs of the registry, as pods reach it. Keep src/sdk/pod-files.ts the same."""

import base64
import hashlib
import http.client
import json
import os
import secrets
import ssl
import tempfile
import time
from contextlib import contextmanager
from typing import IO, Any, Callable, Dict, Iterator, Mapping, Optional
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from slipway._errors import Failure, UserError, reported
from slipway._file_place import FilePlace, damaged, lost

# The file with `PodAccess` of src/functions/pod-access.ts, in the folder of a pod.
_ACCESS_FILE = "access.json"
_ATTEMPTS = 6
# Seconds that a registry may be silent.
_PATIENCE = 60
# Seconds that a new token may take: nodes look for changes of Secrets about once a minute.
_RENEWAL = 180
_PIECE = 1 << 20


def place_of_worker(folder: Optional[str]) -> FilePlace:
    """The content of files in a worker.

    Args:
        folder: what the helper has given it. None: the engine has none.

    Raises:
        UserError: the engine has none.
    """
    if folder is None:
        text = "This engine cannot hand on files, folders and values above 16 MiB.\n"
        remedy = "Use an engine on this machine, or a cluster whose pods reach the registry. docs/functions.md says how."
        raise reported(UserError, "engine-unavailable", "files", text + remedy)
    access = os.path.join(folder, _ACCESS_FILE)
    if not os.path.exists(access):
        return FilePlace(folder, lost)
    remote = PodFiles(access)
    return FilePlace(tempfile.mkdtemp(prefix="slipway-files-"), remote.fetch, remote.store)


class PodFiles:
    """Moves content between this pod and the registry.

    Args:
        path: of the file with the access, which changes when the token is renewed.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def store(self, content: Dict[str, Any], source: str) -> None:
        def attempt() -> None:
            blob = f"blobs/{content['digest']}"
            with self._ask("HEAD", blob) as answer:
                if answer.status == 200:
                    return
            with self._ask("POST", "blobs/uploads/", {"Content-Length": "0"}) as answer:
                location = answer.headers.get("Location")
                if answer.status != 202 or not location:
                    raise _refusal(answer)
            target = _reached(self._access(), location)
            target += ("&" if urlsplit(target).query else "?") + f"digest={quote(content['digest'], safe='')}"
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(content["size"])}
            with self._ask("PUT", target, headers, source) as answer:
                if answer.status != 201:
                    raise _refusal(answer)

        self._patiently(f"storing {content['digest']}", attempt)

    def fetch(self, content: Dict[str, Any], target: str) -> None:
        digest, size = content["digest"], content["size"]
        partial = f"{target}.{secrets.token_hex(6)}"
        hashed, done = hashlib.sha256(), 0

        def attempt() -> None:
            nonlocal hashed, done
            # A retry goes on where the last one broke off.
            headers = {"Range": f"bytes={done}-{size - 1}"} if done else {}
            with self._ask("GET", f"blobs/{digest}", headers) as answer:
                if answer.status == 404:
                    raise _lost(digest)
                if answer.status not in (200, 206):
                    raise _refusal(answer)
                if answer.status == 200:
                    hashed, done = hashlib.sha256(), 0
                with open(partial, "ab" if done else "wb") as out:
                    for piece in iter(lambda: answer.read(_PIECE), b""):
                        hashed.update(piece)
                        out.write(piece)
                        done += len(piece)
                        if done > size:
                            raise damaged(content, f"it has more than {size} bytes")
            if done < size:
                raise OSError(f"the answer ended after {done} of {size} bytes")

        try:
            self._patiently(f"fetching {digest}", attempt)
            if f"sha256:{hashed.hexdigest()}" != digest:
                raise damaged(content, urlsplit(self._access()["url"]).netloc)
            os.chmod(partial, 0o444)
            os.replace(partial, target)
        finally:
            if os.path.exists(partial):
                os.unlink(partial)

    def _access(self) -> Dict[str, Any]:
        with open(self._path, encoding="utf-8") as file:
            access: Dict[str, Any] = json.load(file)
        if "url" not in access:
            raise reported(Failure, "registry-login", "files", f"{access['problem']}\n{access['remedy']}")
        # The Secret that the user named, if any.
        named = os.path.join(os.path.dirname(self._path), "username")
        if os.path.exists(named):
            pair = []
            for path in (named, os.path.join(os.path.dirname(self._path), "password")):
                with open(path, encoding="utf-8") as file:
                    pair.append(file.read().strip())
            access["authorization"] = "Basic " + base64.b64encode(":".join(pair).encode()).decode()
        return access

    def _patiently(self, doing: str, act: Callable[[], None]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return act()
            except (OSError, http.client.HTTPException) as error:
                if attempt == _ATTEMPTS:
                    text = f"{doing} failed {_ATTEMPTS} times in this pod: {error}.\n"
                    remedy = "Check that pods of the cluster reach the registry."
                    raise reported(Failure, "registry-unreachable", "files", text + remedy) from error
            time.sleep(0.25 * 2**attempt)

    @contextmanager
    def _ask(
        self, method: str, target: str, headers: Optional[Mapping[str, str]] = None, source: Optional[str] = None
    ) -> Iterator[http.client.HTTPResponse]:
        """Asks with the token that is in the file now. One that is refused is waited for until it was renewed."""
        end = time.monotonic() + _RENEWAL
        while True:
            access = self._access()
            with _sent(access, method, urljoin(access["url"], target), headers or {}, source) as answer:
                if answer.status not in (401, 403):
                    yield answer
                    return
            while self._access().get("authorization") == access.get("authorization"):
                if time.monotonic() > end or "expires" not in access:
                    raise _refused(access["url"], answer.status)
                time.sleep(1)


def _reached(access: Dict[str, Any], location: str) -> str:
    """A URL of the registry, as pods reach it."""
    parts: SplitResult = urlsplit(urljoin(access["url"], location))
    if parts.netloc != access.get("host"):
        return parts.geturl()
    own = urlsplit(access["url"])
    return parts._replace(scheme=own.scheme, netloc=own.netloc).geturl()


@contextmanager
def _sent(
    access: Dict[str, Any], method: str, url: str, headers: Mapping[str, str], source: Optional[str]
) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(url)
    own = urlsplit(access["url"])
    # If a registry keeps blobs elsewhere, that place must not get the token.
    is_own = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
    names = {"Authorization": "authorization", "Host": "host"}
    given = {name: access[key] for name, key in names.items() if key in access} if is_own else {}
    connection = _connection(parts, access)
    try:
        body: Optional[IO[bytes]] = open(source, "rb") if source else None
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.blocksize = _PIECE
            connection.request(method, path, body, {**headers, **given})
        finally:
            if body:
                body.close()
        answer = connection.getresponse()
        location = answer.headers.get("Location")
        if method == "GET" and 301 <= answer.status <= 308 and location:
            with _sent(access, method, _reached(access, urljoin(url, location)), headers, None) as redirected:
                yield redirected
        else:
            yield answer
    finally:
        connection.close()


def _connection(parts: SplitResult, access: Dict[str, Any]) -> http.client.HTTPConnection:
    if parts.scheme != "https":
        return http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE)
    context = ssl.create_default_context()
    if access.get("ca"):
        context.load_verify_locations(cadata="\n".join(access["ca"]))
    return http.client.HTTPSConnection(parts.netloc, timeout=_PATIENCE, context=context)


def _refusal(answer: http.client.HTTPResponse) -> OSError:
    return OSError(f"the registry answered {answer.status}")


def _refused(url: str, status: int) -> Failure:
    parts = urlsplit(url)
    repository = parts.path[len("/v2/") :].rstrip("/")
    return reported(
        Failure,
        "registry-login",
        parts.netloc,
        f"{parts.netloc} refused what pods were given for {repository} ({status}).\n"
        "Check that your credential may push to the repository, or name one for pods in `filesCredential`.",
    )


def _lost(digest: str) -> Failure:
    text = f"The registry no longer has the content {digest} of a function's file.\nCall the function that made it again."
    return reported(Failure, "content-lost", digest, text)
