"""What a large catalog on PostgreSQL needs: votes of the last hour and day are found without reading all of them."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        kept = {"autosummarize": "on"}
        op.create_index("ix_vote_at", "vote", ["at"], postgresql_using="brin", postgresql_with=kept)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_vote_at", "vote")
