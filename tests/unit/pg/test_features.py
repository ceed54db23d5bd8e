from __future__ import annotations

import pytest

from howdah.pg.features import Feature, features_of

FEATURES = {
    "BEGIN": {Feature.BEGIN},
    "begin work": {Feature.BEGIN},
    "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY": {Feature.BEGIN, Feature.TRANSACTION_MODES},
    "START TRANSACTION": {Feature.BEGIN},
    "START TRANSACTION DEFERRABLE": {Feature.BEGIN, Feature.TRANSACTION_MODES},
    "COMMIT": {Feature.COMMIT},
    "END TRANSACTION": {Feature.COMMIT},
    "COMMIT WORK AND CHAIN": {Feature.COMMIT, Feature.CHAIN},
    "COMMIT AND NO CHAIN": {Feature.COMMIT},
    "ROLLBACK": {Feature.ROLLBACK},
    "ABORT WORK": {Feature.ROLLBACK},
    "ROLLBACK AND CHAIN": {Feature.ROLLBACK, Feature.CHAIN},
    "ROLLBACK TO s": {Feature.SAVEPOINT},
    "ROLLBACK TRANSACTION TO SAVEPOINT s": {Feature.SAVEPOINT},
    "SAVEPOINT s": {Feature.SAVEPOINT},
    "RELEASE s": {Feature.SAVEPOINT},
    "PREPARE TRANSACTION 'x'": {Feature.TWO_PHASE},
    "PREPARE q AS SELECT 1": set(),
    "COMMIT PREPARED 'x'": {Feature.TWO_PHASE, Feature.NO_TRANSACTION},
    "SET TRANSACTION READ ONLY": {Feature.TRANSACTION_MODES},
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY": {Feature.SESSION},
    "SET search_path TO app": {Feature.SESSION},
    "SET SESSION search_path = app": {Feature.SESSION},
    "SET LOCAL search_path = app": set(),
    "SET CONSTRAINTS ALL DEFERRED": set(),
    "SET standard_conforming_strings = off": {Feature.SESSION, Feature.STRING_SYNTAX},
    "SET LOCAL standard_conforming_strings TO 'off'": {Feature.STRING_SYNTAX},
    "SET standard_conforming_strings = on": {Feature.SESSION},
    "SET LOCAL TRANSACTION READ ONLY": {Feature.TRANSACTION_MODES},
    "SET ROLE app": {Feature.SESSION},
    "SET SESSION AUTHORIZATION app": {Feature.SESSION},
    "RESET ALL": {Feature.SESSION},
    "DISCARD TEMP": {Feature.SESSION},
    "DISCARD ALL": {Feature.SESSION, Feature.NO_TRANSACTION},
    "SELECT pg_catalog.set_config('search_path', '', false)": {Feature.SESSION},
    "SELECT set_config('a.b', lower('X'), true), now()": set(),
    "SELECT set_config('a.b', 'c', true), set_config('a.b', 'c', f(false, true))": {Feature.SESSION},
    "SELECT 'set_config(1, 2, false)'": set(),
    "COPY t FROM STDIN": {Feature.COPY_FROM_STDIN},
    "copy t (a, b) from /* x */ stdin with (format csv)": {Feature.COPY_FROM_STDIN},
    "COPY t FROM '/file'": set(),
    'COPY "from" TO STDOUT': {Feature.COPY_TO_STDOUT},
    "COPY (SELECT 1 FROM stdin) TO '/file'": set(),
    "COPY (SELECT 1 FROM stdin) TO STDOUT": {Feature.COPY_TO_STDOUT},
    "COPY t TO PROGRAM 'cat'": set(),
    "/* x */ VACUUM": {Feature.NO_TRANSACTION},
    "CREATE TABLE vacuum (concurrently_made int)": set(),
    "INSERT INTO t VALUES ('COMMIT')": set(),
    'CREATE INDEX "concurrently" ON t (a)': set(),
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END": set(),
    "'no word'": set(),
    "": set(),
}


@pytest.mark.parametrize("statement", FEATURES)
def test_a_statement_has_the_features_of_its_words(statement: str) -> None:
    assert features_of(statement) == FEATURES[statement]
