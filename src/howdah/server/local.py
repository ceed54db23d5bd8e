"""LocalServer: a PostgreSQL of our own, on loopback and a socket, in one directory that outlives us."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import ConfigError
from howdah.pg.programs import Account, Programs, as_account, plain_environment, server_account
from howdah.server.initialise import check_data_directory, initialise, set_password
from howdah.server.ports import is_free, loopback_addresses, ports_for
from howdah.server.process import (
    Postmaster,
    end_processes,
    find_postmaster,
    find_strays,
    read_postmaster_file,
)
from howdah.server.state import (
    ServerRecord,
    give,
    locked,
    make_directory,
    read_record,
    socket_directory,
    write_record,
)
from howdah.server.trouble import explain_failed_start, last_lines

SUPERUSER = "postgres"
START_LIMIT_SECONDS = 60.0
_BIGGEST_LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class LocalServer:
    """A server in a directory: `data/`, `socket/`, `server.log`, `server.json`.

    Every method may be called twice, and by several processes at once. The server runs on after we end.

    Attributes:
        directory: where all of it lives; made when needed.
        programs: the installation to run it with; needed by `init` and `start` only.
        port: TCP port; None: a free one, kept from run to run.
        settings: postgresql.conf names -> values, over our own.
        extension_directory: a further place for extension files (PostgreSQL 18 or newer).
    """

    directory: Path
    programs: Programs | None = None
    port: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    extension_directory: Path | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.directory / "server.log"

    @property
    def exists(self) -> bool:
        """Whether there is data."""
        return (self.data / "PG_VERSION").is_file()

    @property
    def data_major(self) -> int | None:
        """The major version that made the data, where there is any."""
        return int((self.data / "PG_VERSION").read_text(encoding="ascii")) if self.exists else None

    @property
    def record(self) -> ServerRecord | None:
        """What is remembered from the last start."""
        return read_record(self.directory)

    @property
    def running(self) -> Postmaster | None:
        """The server's process, if it runs and takes connections."""
        found = find_postmaster(self.data)
        return found if found and found.is_ready else None

    @property
    def address(self) -> DatabaseConfig:
        """The superuser's address over TCP, where an application connects.

        Raises:
            ConfigError: the server was never started.
        """
        record = self.record
        if record is None:
            raise ConfigError(
                f"there is no local server in {self.directory}", code="no-server", next=("howdah dev up",)
            )
        return DatabaseConfig(
            host="127.0.0.1",
            port=str(record.port),
            database="postgres",
            user=SUPERUSER,
            password=Secret(record.password),
        )

    @property
    def socket_address(self) -> DatabaseConfig:
        """The superuser's address over the socket, which only the server's own user and root can reach."""
        return replace(self.address, host=str(socket_directory(self.directory)), password=None)

    def init(self) -> bool:
        """Make the data directory; False where there is one already.

        Raises:
            ConfigError: the directory cannot be used.
            CommandError: initdb failed; nothing is left of it.
        """
        make_directory(self.directory)
        with locked(self.directory / "lock"):
            return self._init()

    def start(self) -> bool:
        """Start the server, on new data where there is none; False where it runs already.

        Raises:
            ConfigError: the directory or the port cannot be used.
            UnsupportedError: the data belongs to another major version.
            CommandError: the server did not start; its last log lines are in the error.
        """
        make_directory(self.directory)
        with locked(self.directory / "lock"):
            if self.exists and self.record and self._is_up():
                return False
            is_new = self._init()
            self._clear_leftovers()
            self._start(self._password())
            if is_new and self.settings.get("fsync") != "off":
                self._sync_new_data()
            return True

    def stop(self) -> bool:
        """End the server: politely, then firmly; False where none runs."""
        if not self.directory.is_dir():
            return False
        with locked(self.directory / "lock"):
            return self._stop()

    def destroy(self) -> bool:
        """End the server and delete everything of it; False where there is nothing."""
        if not self.directory.is_dir():
            return False
        with locked(self.directory / "lock"):
            if found := find_postmaster(self.data):
                end_processes([found.pid], signal.SIGQUIT, within_seconds=10)
            end_processes(find_strays(self.data), signal.SIGKILL, within_seconds=5)
            shutil.rmtree(socket_directory(self.directory), ignore_errors=True)
            shutil.rmtree(self.directory)
        return True

    def _init(self) -> bool:
        programs = self._programs()
        if self.exists:
            check_data_directory(self.data, programs)
            return False
        # a server whose directory was deleted under it may still run, on the same path
        end_processes(find_strays(self.data), signal.SIGKILL, within_seconds=5)
        password = secrets.token_urlsafe(18)
        initialise(self.data, programs, superuser=SUPERUSER, password=password)
        self._remember(port=0, password=password)
        return True

    def _password(self) -> str:
        """The superuser's password; a new one is set where the record of it was lost."""
        if record := self.record:
            return record.password
        password = secrets.token_urlsafe(18)
        set_password(self.data, self._programs(), superuser=SUPERUSER, password=password)
        return password

    def _is_up(self) -> bool:
        """Whether it runs; one that is just starting is waited for."""
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while (found := find_postmaster(self.data)) and time.monotonic() < deadline:
            if found.is_ready:
                return True
            time.sleep(0.01)
        return False

    def _clear_leftovers(self) -> None:
        """Make way after a crash: backends of a killed server, pid files that name a stranger's process."""
        strays = find_strays(self.data)
        left = end_processes(strays, signal.SIGQUIT, within_seconds=2) if strays else []
        end_processes(left, signal.SIGKILL, within_seconds=5)
        # PostgreSQL clears them itself, unless they are damaged or a stranger has the pid
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for leftover in socket_directory(self.directory).glob(".s.PGSQL.*"):
            leftover.unlink()

    def _start(self, password: str) -> None:
        account = server_account()
        self._prepare_socket_directory(account)
        self._turn_log()
        refused: set[int] = set()
        while True:
            port = self._choose_port(refused)
            offset = self.log.stat().st_size if self.log.exists() else 0
            process = self._launch(port, account)
            is_ready = self._wait_until_ready(process)
            said = self.log.read_bytes()[offset:].decode(errors="replace")
            # with one of two addresses taken PostgreSQL starts all the same; a stranger answers at the other
            lost_port = "could not bind" in said
            if is_ready and not lost_port:
                break
            end_processes([process.pid], signal.SIGQUIT, within_seconds=5)
            if self.port or not lost_port or len(refused) > 5:
                raise explain_failed_start(process.poll(), said, self.directory)
            refused.add(port)
        self._remember(port=port, password=password)

    def _launch(self, port: int, account: Account | None) -> subprocess.Popen[bytes]:
        options = {
            **self.settings,
            "port": str(port),
            "listen_addresses": ",".join(loopback_addresses()),
            "unix_socket_directories": _quoted(socket_directory(self.directory)),
        }
        if self.extension_directory:
            options["extension_control_path"] = f"$system:{self.extension_directory}"
        arguments = [f"--{name}={value}" for name, value in options.items()]
        return self._leave_behind("postgres", ["-D", str(self.data), *arguments], account)

    def _sync_new_data(self) -> None:
        """Bring what initdb wrote to the disk, while the server is used already."""
        self._leave_behind("initdb", ["--sync-only", "-D", str(self.data)], server_account())

    def _leave_behind(
        self, program: str, arguments: list[str], account: Account | None
    ) -> subprocess.Popen[bytes]:
        """Start a program that goes on after we end, in a session of its own, its errors in the log."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [self._programs().path(program), *arguments],
                env=plain_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                **as_account(account),
            )
        # where we outlive it, somebody must take its exit status, or it stays as a zombie
        threading.Thread(target=process.wait, daemon=True).start()
        return process

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while process.poll() is None:
            stated = read_postmaster_file(self.data)
            if stated and stated.pid == process.pid and stated.is_ready:
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.003)
        return False

    def _stop(self) -> bool:
        found = find_postmaster(self.data)
        if not found:
            return False
        for number, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
            if not end_processes([found.pid], number, within_seconds=seconds):
                break
        return True

    def _choose_port(self, refused: set[int]) -> int:
        if self.port:
            if not is_free(self.port):
                raise ConfigError(
                    f"port {self.port} is taken by another program",
                    code="port-taken",
                    fix="Stop that program, or leave `port` out of [dev]: a free one is chosen and kept.",
                )
            return self.port
        record = self.record
        kept = [record.port] if record and record.port else []
        wanted = (port for port in (*kept, *ports_for(str(self.directory))) if port not in refused)
        return next(port for port in wanted if is_free(port))

    def _prepare_socket_directory(self, account: Account | None) -> None:
        place = socket_directory(self.directory)
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
        trusted = {os.geteuid(), account.uid if account else os.geteuid()}
        # in /tmp anybody could have made it, and who can enter it can enter the server
        if found.st_uid not in trusted or found.st_mode & 0o077:
            raise ConfigError(
                f"{place} is not safe for the server's socket",
                code="unsafe-socket-directory",
                why="It belongs to somebody else, or others may enter it.",
                fix="Remove it, and start the server again.",
            )
        give(place, account)

    def _turn_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _BIGGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self.log.touch(mode=0o600)

    def _remember(self, *, port: int, password: str) -> None:
        programs = self._programs()
        write_record(
            self.directory,
            ServerRecord(
                port=port, password=password, bindir=str(programs.bindir), version=str(programs.version)
            ),
        )

    def _programs(self) -> Programs:
        if self.programs is None:
            raise ConfigError(f"no PostgreSQL programs were given to start {self.directory} with")
        return self.programs

    def log_lines(self, count: int) -> list[str]:
        """The last lines of the log."""
        return last_lines(self.log, count)


def _quoted(directory: Path) -> str:
    """A directory as an element of a list setting."""
    doubled = str(directory).replace('"', '""')
    return f'"{doubled}"'
