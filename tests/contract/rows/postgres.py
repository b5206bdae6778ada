"""A PostgreSQL server of one's own: private data folder, free port of the loopback, ended in any case."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

#: PostgreSQL refuses to run as root; Debian's package makes this user.
_USER: Final = "postgres"
_PASSWORD: Final = "only on loopback"
_START_S: Final = 30.0


@dataclasses.dataclass(frozen=True)
class Programs:
    """Where the server's programs are, or why it cannot be run."""

    folder: Path | None
    reason: str | None


@functools.cache
def programs() -> Programs:
    """Look for the server."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    if found := shutil.which("postgres"):
        folders.insert(0, Path(found).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            if os.geteuid() != 0 or _account():
                return Programs(folder, None)
            return Programs(None, f"PostgreSQL does not run as root, and there is no user {_USER} to run it")
    return Programs(None, "no PostgreSQL server is installed (Debian: postgresql)")


def _account() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(_USER)
    except KeyError:
        return None


class Postgres:
    """A running server, within ``with``.

    :param folder: For the log.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "postgres.log"
        # Not below pytest's folder, which no other user may enter.
        self._data = Path(tempfile.mkdtemp(prefix="mics-postgres-"))
        self._server: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        account = _account() if os.geteuid() == 0 else None
        self._identity: dict[str, Any] = {}
        if account:
            os.chown(self._data, account.pw_uid, account.pw_gid)
            self._identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._server and self._server.poll() is None:
            # What it keeps is thrown away: it need not be put in order.
            self._server.send_signal(signal.SIGQUIT)
            try:
                self._server.wait(10)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait(10)
        shutil.rmtree(self._data, ignore_errors=True)

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection."""
        return {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": self.port,
            "login": _USER,
            "password": _PASSWORD,
            "schema": "postgres",
        }

    def dsn(self) -> dict[str, Any]:
        """What drivers are given."""
        return {"host": "127.0.0.1", "port": self.port, "user": _USER, "password": _PASSWORD, "dbname": "postgres"}

    def run(self, *statements: str) -> list[Any]:
        """Run statements, and return the last one's rows."""
        import psycopg

        with psycopg.connect(**self.dsn(), autocommit=True) as connection:
            *before, last = statements
            for statement in before:
                connection.execute(statement.encode())
            cursor = connection.execute(last.encode())
            return cursor.fetchall() if cursor.description else []

    def _start(self) -> None:
        folder = programs().folder
        assert folder
        cluster = self._data / "cluster"
        password = self._data / "password"
        password.write_text(_PASSWORD)
        password.chmod(0o644)
        self._call(
            [
                str(folder / "initdb"),
                f"--pgdata={cluster}",
                f"--username={_USER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ]
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            # No socket in a folder that others share.
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_wal_size": "2GB",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(  # noqa: S603
                [str(folder / "postgres"), "-D", str(cluster), *options],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self._data,
                env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
                **self._identity,
            )
        self._wait()

    def _wait(self) -> None:
        import psycopg

        assert self._server
        deadline = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(**self.dsn(), connect_timeout=2).close()
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()[-2000:]}") from None
                time.sleep(0.1)
            else:
                return

    def _call(self, command: Sequence[str]) -> None:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=self._data,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            check=False,
            timeout=60,
            **self._identity,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")


def as_environment(connection: dict[str, Any]) -> str:
    """Return a connection as Airflow takes it from the environment."""
    return json.dumps(connection)
