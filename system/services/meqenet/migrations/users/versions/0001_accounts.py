"""Accounts with credit, credentials, documents, notifications: a schema for each service that shares this database."""

import hashlib

from alembic import op
from sqlalchemy import text

revision = "0001"
down_revision = None

# Of a mirror and of tests alone; the salt is the user's name, so that every mirror has the same rows.
_USERS = 200
_PASSWORD = "let me pay"  # noqa: S105


def upgrade() -> None:
    """Make the tables, and the users of test environments."""
    for schema in ("auth", "users", "documents", "notifications"):
        op.execute(f"create schema {schema}")
    op.execute(
        "create table auth.credentials (user_id text primary key, salt bytea not null, hash bytea not null)"
    )
    op.execute("""
        create table users.accounts (
            user_id            text primary key,
            name               text not null,
            credit_limit_minor bigint not null check (credit_limit_minor >= 0),
            reserved_minor     bigint not null default 0 check (reserved_minor between 0 and credit_limit_minor)
        )
    """)
    op.execute("""
        create table users.reservations (
            payment_id   bigint primary key,
            user_id      text not null references users.accounts (user_id),
            amount_minor bigint not null check (amount_minor > 0),
            made_at      timestamptz not null default now()
        )
    """)
    op.execute("""
        create table documents.versions (
            id         bigint primary key generated always as identity,
            user_id    text not null,
            name       text not null,
            object_key text not null,
            version_id text not null,
            sha256     char(64) not null,
            bytes      integer not null check (bytes > 0),
            stored_at  timestamptz not null default now()
        )
    """)
    op.execute("create index on documents.versions (user_id, name, id desc)")
    op.execute("""
        create table notifications.messages (
            payment_id bigint primary key,
            user_id    text not null,
            text       text not null,
            told_at    timestamptz not null default now()
        )
    """)
    op.execute("create index on notifications.messages (user_id, told_at desc)")
    _make_users()


def _make_users() -> None:
    connection = op.get_bind()
    for number in range(1, _USERS + 1):
        user = f"user-{number:04}"
        salt = hashlib.sha256(user.encode()).digest()[:16]
        # As `meqenet.auth.hash_password` had it when this was written: a migration does not change with the program.
        derived = hashlib.scrypt(_PASSWORD.encode(), salt=salt, n=1 << 10, r=8, p=1, dklen=32)
        # Every twentieth soon has no credit left: payments are refused, too.
        limit = 1_000_000 if number % 20 == 0 else 1_000_000_000_000
        connection.execute(
            text("insert into auth.credentials values (:user, :salt, :hash)"),
            {"user": user, "salt": salt, "hash": derived},
        )
        connection.execute(
            text("insert into users.accounts values (:user, :name, :limit)"),
            {"user": user, "name": f"User {number}", "limit": limit},
        )
