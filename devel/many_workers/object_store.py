"""A server that speaks S3 and holds one large object, as a process of its own.

moto reads the whole object for each range of it that is asked for, and holds it in memory meanwhile. So it is handed
something here that looks like the bytes and reads only what is sliced out of them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from devel.airflow_settings import LOOPBACK
from devel.server_process import ServerProcess

_REPOSITORY: Final = Path(__file__).resolve().parents[2]
_BUCKET: Final = "crm"
_KEY: Final = "night/profiles.ndjson"
_REGION: Final = "eu-west-3"
_LOGIN: Final = "key"
_PASSWORD: Final = "only on loopback"  # noqa: S105 - as it says
#: Of the Airflow connection.
STORE: Final = "store"


class FileContent:
    """The bytes of a file, read when they are sliced."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __len__(self) -> int:
        return os.fstat(self._descriptor).st_size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(len(self))
        return os.pread(self._descriptor, stop - start, start)

    def __copy__(self) -> Self:
        return self


class FileBuffer:
    """Where moto keeps an object's bytes, with a file's in it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)

    def seek(self, offset: int) -> int:
        """Go there."""
        return self._file.seek(offset)

    def read(self, size: int = -1) -> FileContent | bytes:
        """Return a block; or all of it, of which nothing is read yet."""
        return FileContent(self._file.fileno()) if size < 0 else self._file.read(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ObjectStore:
    """The server, within ``with``, with a file as its one object.

    :param folder: For its log and what it says of itself.
    """

    def __init__(self, file: Path, folder: Path) -> None:
        self._file = file
        self._folder = folder
        self._cleanup = ExitStack()
        self._url = ""

    def __enter__(self) -> Self:
        ready_file = self._folder / "object-store.json"
        ready_file.unlink(missing_ok=True)
        module = "devel.many_workers.object_store"
        with ExitStack() as cleanup:
            cleanup.enter_context(
                ServerProcess(
                    [sys.executable, "-m", module, str(self._file), "--ready-file", str(ready_file)],
                    log=self._folder / "object-store.log",
                    is_ready=ready_file.exists,
                    options={"cwd": _REPOSITORY},
                )
            )
            self._url = json.loads(ready_file.read_text())["url"]
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._cleanup.close()

    @property
    def uri(self) -> str:
        """Name of the object, for Airflow."""
        return f"s3://{STORE}@{_BUCKET}/{_KEY}"

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection that reaches it."""
        return {
            "conn_type": "aws",
            "login": _LOGIN,
            "password": _PASSWORD,
            "extra": {"endpoint_url": self._url, "region_name": _REGION},
        }


def serve(file: Path, ready_file: Path) -> None:
    """Serve until SIGTERM."""
    import boto3
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends
    from moto.server import ThreadedMotoServer

    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    s3 = boto3.client(
        "s3", endpoint_url=url, region_name=_REGION, aws_access_key_id=_LOGIN, aws_secret_access_key=_PASSWORD
    )
    s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": _REGION})
    s3.put_object(Bucket=_BUCKET, Key=_KEY, Body=b"\n")
    stored: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_object(_BUCKET, _KEY)
    stored._value_buffer = FileBuffer(file)  # noqa: SLF001 - see the module
    stored._etag = None  # noqa: SLF001 - so that it is made anew
    stored.contentsize = file.stat().st_size
    if s3.head_object(Bucket=_BUCKET, Key=_KEY)["ContentLength"] != file.stat().st_size:
        raise RuntimeError("This moto keeps its objects otherwise than the one this was written for")
    unfinished = ready_file.with_suffix(".tmp")
    unfinished.write_text(json.dumps({"url": url}))
    unfinished.rename(ready_file)
    done.wait()
    server.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--ready-file", type=Path, required=True, help="written when it serves")
    options = parser.parse_args()
    serve(options.file, options.ready_file)


if __name__ == "__main__":
    main()
