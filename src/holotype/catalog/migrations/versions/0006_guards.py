"""What held a label back from being decided."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("label", sa.Column("guard", sa.String(16)))


def downgrade() -> None:
    op.drop_column("label", "guard")
