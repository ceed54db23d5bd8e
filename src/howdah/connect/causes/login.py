"""Who may come in: passwords, roles, pg_hba.conf."""

from __future__ import annotations

from howdah.connect.causes.cause import Cause

LOGIN = (
    Cause(
        code="wrong-password",
        sqlstate="28P01",
        why="The password is wrong or has expired, or there is no role {user}: for safety, the server does not"
        " say which.",
        fix="Correct the password; a superuser can set a new one: ALTER ROLE ... PASSWORD.",
        next=("howdah setup apply --admin-url postgresql://postgres@{place}/postgres",),
    ),
    Cause(
        code="no-password",
        words="no password supplied",
        why="The server asks for a password, and none was given.",
        fix="Put the password into the URL, the application's variable, PGPASSWORD or ~/.pgpass.",
    ),
    Cause(
        code="role-cannot-log-in",
        sqlstate="28000",
        routine="InitializeSessionUserId",
        words="not permitted to log in",
        why="{user} is a role without LOGIN, made to own things or to be a member of.",
        fix="Connect as another role, or give it the right: ALTER ROLE ... LOGIN.",
    ),
    Cause(
        code="unknown-role",
        sqlstate="28000",
        routine="InitializeSessionUserId",
        why="The server has no role {user}.",
        fix="Create the role, or correct the user's name.",
        next=("howdah setup apply --admin-url postgresql://postgres@{place}/postgres",),
    ),
    Cause(
        code="tls-required",
        sqlstate="28000",
        tls_would_help=True,
        why="The server takes encrypted connections only, and this address has TLS switched off.",
        fix="Use sslmode=require, or better verify-full with the provider's certificate as sslrootcert.",
        sslmode="require",
    ),
    Cause(
        code="hba-reject",
        sqlstate="28000",
        routine="ClientAuthentication",
        words="pg_hba.conf rejects",
        why="A line with `reject` in the server's pg_hba.conf fits this host, user and database.",
        fix="Have the line removed, or a line that allows it put above it, and the server reloaded.",
    ),
    Cause(
        code="client-certificate-required",
        sqlstate="28000",
        routine="ClientAuthentication",
        words="client certificate",
        why="The server's pg_hba.conf asks this user for a certificate, and none was given.",
        fix="Give the user's certificate and key as sslcert and sslkey.",
    ),
    Cause(
        code="no-hba-entry",
        sqlstate="28000",
        routine="ClientAuthentication",
        why="No line of the server's pg_hba.conf is for this host, user, database and encryption.",
        fix="Add a line for it to the server's pg_hba.conf, above any line that rejects it, and reload the"
        " server.",
    ),
    Cause(
        code="client-certificates-unchecked",
        sqlstate="F0000",
        words="root certificate store",
        why="pg_hba.conf asks for client certificates, and the server has no authority to check them"
        " against.",
        fix="Set ssl_ca_file on the server and reload it.",
    ),
    Cause(
        code="identity-rejected",
        sqlstate="28000",
        why="The server decides by who you are (peer, ident, certificate, LDAP ...), and that is not {user}.",
        fix="Connect as the role of your name, or have the server ask for a password (scram-sha-256)"
        " instead.",
    ),
    Cause(
        code="auth-method-refused",
        words="authentication method requirement",
        why="require_auth allows only certain methods, and the server uses another one, or none.",
        fix="Drop require_auth, or have the server's pg_hba.conf use the method that it asks for.",
    ),
    Cause(
        code="channel-binding",
        words="channel binding required",
        why="channel_binding=require needs TLS and SCRAM, and this login does not use both.",
        fix="Use sslmode=require and scram-sha-256, or channel_binding=prefer.",
    ),
)
