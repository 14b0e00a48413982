"""Near-duplicates: which images were read since groups were found; these are found anew once, as more pairs are."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "ungrouped",
        sa.Column("image_id", _Id, nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_ungrouped"),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_ungrouped_image_id_image"),
    )
    op.create_index("ix_near_duplicate_group_id", "near_duplicate", ["group_id"])
    op.execute("DELETE FROM meta WHERE key = 'near_duplicates'")


def downgrade() -> None:
    op.drop_index("ix_near_duplicate_group_id", "near_duplicate")
    op.drop_table("ungrouped")
    op.execute("DELETE FROM meta WHERE key IN ('near_duplicates', 'near_crowd')")
