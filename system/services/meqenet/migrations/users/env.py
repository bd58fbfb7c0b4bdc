"""Called by Alembic."""

from meqenet.migrations.environment import run

run()
