"""Payments, their double entries, and the outbox of their sagas."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.execute("""
        create table payments (
            id           bigint primary key,
            user_id      text not null,
            merchant     text not null,
            amount_minor bigint not null check (amount_minor > 0),
            currency     char(3) not null check (currency ~ '^[A-Z]{3}$'),
            state        text not null default 'pending' check (state in ('pending', 'completed', 'cancelled')),
            created_at   timestamptz not null default clock_timestamp(),
            position     bigint not null generated always as identity
        )
    """)
    # Double entry: the rows of one posting sum to zero.
    op.execute("""
        create table ledger_entries (
            payment_id   bigint not null references payments (id),
            posting      text not null check (posting in ('accept', 'settle', 'reverse')),
            account      text not null check (account in ('customer', 'clearing', 'merchant')),
            amount_minor bigint not null check (amount_minor <> 0),
            primary key (payment_id, posting, account)
        )
    """)
    op.execute("""
        create table outbox (
            id         bigint primary key generated always as identity,
            payment_id bigint not null references payments (id),
            step       text not null check (step in ('reserve', 'notify')),
            attempts   integer not null default 0,
            due_at     timestamptz not null default now()
        )
    """)
    op.execute("create index on outbox (due_at)")
