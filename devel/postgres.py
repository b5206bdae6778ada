"""A PostgreSQL server of one's own: private data folder, free port of the loopback, ended in any case."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from devel.airflow_settings import LOOPBACK
from devel.server_process import ServerProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

#: PostgreSQL refuses to run as root; Debian's package makes this user.
_USER: Final = "postgres"
_PASSWORD: Final = "only on loopback"  # noqa: S105 - as it says
_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}


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
        self._cleanup = ExitStack()
        self.port = 0

    def __enter__(self) -> Self:
        with ExitStack() as cleanup:
            # Not below pytest's folder, which no other user may enter.
            data = Path(tempfile.mkdtemp(prefix="mics-postgres-"))
            cleanup.callback(shutil.rmtree, data, ignore_errors=True)
            account = _account() if os.geteuid() == 0 else None
            options: dict[str, Any] = {"cwd": data, "env": _ENVIRONMENT}
            if account:
                os.chown(data, account.pw_uid, account.pw_gid)
                options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            cleanup.enter_context(self._server(data, options))
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    @property
    def connection(self) -> dict[str, Any]:
        """The Airflow connection."""
        return {
            "conn_type": "postgres",
            "host": LOOPBACK,
            "port": self.port,
            "login": _USER,
            "password": _PASSWORD,
            "schema": "postgres",
        }

    def dsn(self) -> dict[str, Any]:
        """Return what drivers are given."""
        return {"host": LOOPBACK, "port": self.port, "user": _USER, "password": _PASSWORD, "dbname": "postgres"}

    def run(self, *statements: str) -> list[Any]:
        """Run statements, and return the last one's rows."""
        import psycopg

        with psycopg.connect(**self.dsn(), autocommit=True) as connection:
            *before, last = statements
            for statement in before:
                connection.execute(statement.encode())
            cursor = connection.execute(last.encode())
            return cursor.fetchall() if cursor.description else []

    def _server(self, data: Path, options: dict[str, Any]) -> ServerProcess:
        found = programs()
        if found.folder is None:
            raise RuntimeError(found.reason)
        cluster = data / "cluster"
        password = data / "password"
        password.write_text(_PASSWORD)
        password.chmod(0o644)
        _call(
            [
                str(found.folder / "initdb"),
                f"--pgdata={cluster}",
                f"--username={_USER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            options,
        )
        self.port = free_port()
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            # No socket in a folder that others share.
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_wal_size": "2GB",
        }
        return ServerProcess(
            [
                str(found.folder / "postgres"),
                "-D",
                str(cluster),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            log=self._log,
            is_ready=self._answers,
            # What it keeps is thrown away: it need not be put in order.
            end_with=signal.SIGQUIT,
            options=options,
        )

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(**self.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _call(command: Sequence[str], options: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, **options)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")


def as_environment(connection: dict[str, Any]) -> str:
    """Return a connection as Airflow takes it from the environment."""
    return json.dumps(connection)
