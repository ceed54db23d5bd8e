"""The checks, in the order in which a connection comes about. Adding one is a file and a line here."""

from __future__ import annotations

from howdah.doctor.checks import (
    columns,
    configuration,
    database,
    extensions,
    login,
    migrations,
    name,
    network,
    pooler,
    rights,
    server,
    setup,
    tls,
)
from howdah.doctor.checks.check import Check

CHECKS: tuple[Check, ...] = (
    Check("configuration", configuration.check),
    Check("name", name.check, needs=("configuration",)),
    Check("network", network.check, needs=("name",)),
    Check("tls", tls.check, needs=("network",)),
    Check("login", login.check, needs=("tls",)),
    Check("database", database.check, needs=("login",)),
    Check("server", server.check, needs=("database",)),
    Check("pooler", pooler.check, needs=("database",)),
    Check("rights", rights.check, needs=("database",)),
    Check("extensions", extensions.check, needs=("database",)),
    Check("setup", setup.check, needs=("database",)),
    Check("migrations", migrations.check, needs=("database",)),
    Check("columns", columns.check, needs=("database",)),
)
