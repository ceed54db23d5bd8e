"""Where Alembic runs: the database of DATABASE_URL, one transaction for each revision."""

import os

from alembic import context
from sqlalchemy import create_engine, make_url, pool


def run() -> None:
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


run()
