"""LocalServer: a PostgreSQL of our own, on loopback and a socket, in one directory that outlives us."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from howdah.config.database import DatabaseConfig, Secret
from howdah.errors import ConfigError
from howdah.pg.programs import Programs, server_account
from howdah.server.cache import initialise_by_copy
from howdah.server.initialise import check_data_directory, initialise, read_major, set_password
from howdah.server.launch import (
    as_list_element,
    check_settings,
    leave_behind,
    prepare_socket_directory,
    turn_log,
    wait_until_ready,
)
from howdah.server.ports import is_free, loopback_addresses, ports_for
from howdah.server.process import (
    Postmaster,
    end_processes,
    find_postmaster,
    find_strays,
)
from howdah.server.state import (
    ServerRecord,
    locked,
    read_record,
    socket_directory,
    unusable,
    write_record,
)
from howdah.server.trouble import explain_failed_start, explain_slow_start, last_lines

SUPERUSER = "postgres"


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
        cache: where a new data directory is kept for the next server, and taken from: only for one that is thrown away.
        start_limit_seconds: how long to wait for a start; a longer one, as after a crash, goes on by itself.
    """

    directory: Path
    programs: Programs | None = None
    port: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    extension_directory: Path | None = None
    cache: Path | None = None
    start_limit_seconds: float = 60.0

    def __post_init__(self) -> None:
        # the server has another working directory, and is recognised by this path
        object.__setattr__(self, "directory", self.directory.resolve())

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
        return os.path.isfile(self.data / "PG_VERSION")  # noqa: PTH113 - also where it is closed to us

    @property
    def data_major(self) -> int | None:
        """The major version that made the data, where there is any.

        Raises:
            UnsupportedError: the data directory does not say, so it is damaged.
        """
        return read_major(self.data) if self.exists else None

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
        if record is None or not record.port:
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
        with locked(self.directory / "lock"):
            return self._init()

    def start(self) -> bool:
        """Start the server, on new data where there is none; False where it runs already.

        Raises:
            ConfigError: the directory, the port or a setting cannot be used.
            UnsupportedError: the data belongs to another major version.
            CommandError: the server did not start; its last log lines are in the error.
            ConnectError: it is still not ready; it goes on, as after a crash that may take long.
        """
        check_settings(self.settings)
        with locked(self.directory / "lock"):
            if self.exists and self._is_up():
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
            self._remove()
        return True

    def log_lines(self, count: int) -> list[str]:
        """The last lines of the log.

        Raises:
            ConfigError: it is somebody else's.
        """
        try:
            return last_lines(self.log, count)
        except OSError as error:
            raise unusable(self.directory, error) from error

    def _init(self) -> bool:
        programs = self._programs()
        if self.exists:
            check_data_directory(self.data, programs)
            return False
        # a server whose directory was deleted under it may still run, on the same path
        end_processes(find_strays(self.data), signal.SIGKILL, within_seconds=5)
        if self.cache is None:
            password = secrets.token_urlsafe(18)
            initialise(self.data, programs, superuser=SUPERUSER, password=password)
        else:
            password = initialise_by_copy(self.data, programs, superuser=SUPERUSER, cache=self.cache)
        self._remember(port=0, password=password)
        return True

    def _remove(self) -> None:
        """Delete the directory; out of the way first, as the lock in it is let go while it is deleted."""
        parent, name = self.directory.parent, self.directory.name
        self.directory.rename(parent / f"{name}.gone-{secrets.token_hex(4)}")
        for gone in parent.glob(f"{glob.escape(name)}.gone-*"):
            shutil.rmtree(gone, ignore_errors=True)

    def _password(self) -> str:
        """The superuser's password; a new one is set where the record of it was lost."""
        if record := self.record:
            return record.password
        password = secrets.token_urlsafe(18)
        set_password(self.data, self._programs(), superuser=SUPERUSER, password=password)
        return password

    def _is_up(self) -> bool:
        """Whether it runs; one that is just starting is waited for."""
        deadline = time.monotonic() + self.start_limit_seconds
        while found := find_postmaster(self.data):
            if found.is_ready and self.record:
                return True
            if found.is_ready:
                # to give it a new password it would have to be stopped, and who uses it does not expect that
                raise ConfigError(
                    f"the local server in {self.directory} runs, but the record of its password is lost",
                    code="lost-record",
                    fix="Start it again: it gets a new password, and keeps its data and its port.",
                    next=("howdah dev down", "howdah dev up"),
                )
            if time.monotonic() > deadline:
                raise explain_slow_start(self.start_limit_seconds, self.directory)
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
        prepare_socket_directory(socket_directory(self.directory), server_account())
        turn_log(self.log)
        refused: set[int] = set()
        while True:
            port = self._choose_port(refused)
            # before it runs: whatever happens to us now, a server that runs is one whose address is known
            self._remember(port=port, password=password)
            offset = self.log.stat().st_size
            process = self._launch(port)
            is_ready = wait_until_ready(process, self.data, limit_seconds=self.start_limit_seconds)
            said = self.log.read_bytes()[offset:].decode(errors="replace")
            # with one of two addresses taken PostgreSQL starts all the same; a stranger answers at the other
            lost_port = "could not bind" in said
            if is_ready and not lost_port:
                return
            if not lost_port and process.poll() is None:
                raise explain_slow_start(self.start_limit_seconds, self.directory)
            end_processes([process.pid], signal.SIGQUIT, within_seconds=5)
            if self.port or not lost_port or len(refused) > 5:
                raise explain_failed_start(process.poll(), said, self.directory)
            refused.add(port)

    def _launch(self, port: int) -> subprocess.Popen[bytes]:
        options = {
            **self.settings,
            "port": str(port),
            "listen_addresses": ",".join(loopback_addresses()),
            "unix_socket_directories": as_list_element(socket_directory(self.directory)),
        }
        if self.extension_directory:
            options.setdefault("extension_control_path", f"$system:{self.extension_directory}")
        arguments = [f"--{name}={value}" for name, value in options.items()]
        return leave_behind(self._programs(), "postgres", ["-D", str(self.data), *arguments], log=self.log)

    def _sync_new_data(self) -> None:
        """Bring what initdb wrote to the disk, while the server is used already."""
        leave_behind(self._programs(), "initdb", ["--sync-only", "-D", str(self.data)], log=self.log)

    def _stop(self) -> bool:
        found = find_postmaster(self.data)
        # without its pid file it may still run for a while
        pids = [found.pid] if found else find_strays(self.data)
        for number, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
            if not end_processes(pids, number, within_seconds=seconds):
                break
        return bool(pids)

    def _choose_port(self, refused: set[int]) -> int:
        if self.port:
            if not is_free(self.port):
                raise ConfigError(
                    f"port {self.port} is taken by another program",
                    code="port-taken",
                    fix="Stop that program, or name another with --port, HOWDAH_DEV_PORT or `port` in [dev]; "
                    "without any of them a free one is chosen and kept.",
                    next=(f"howdah dev up --port {self._free_port({self.port})}",),
                )
            return self.port
        return self._free_port(refused)

    def _free_port(self, refused: set[int]) -> int:
        """The port it had, else the next free one of its own."""
        record = self.record
        kept = [record.port] if record and record.port else []
        wanted = (port for port in (*kept, *ports_for(str(self.directory))) if port not in refused)
        return next(port for port in wanted if is_free(port))

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
