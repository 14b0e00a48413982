"""Names of files that came in, what lies beside them says of images, images that are withdrawn, and how files are read."""

from urllib.parse import unquote_to_bytes

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ROWS = 20_000
_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    for name in ("folder", "name"):
        op.add_column("intake", sa.Column(name, sa.Text, nullable=False, server_default=""))
    _name_inputs()
    op.create_index("ix_intake_image_id", "intake", ["image_id"])
    op.create_index("ix_intake_name", "intake", ["name"])
    op.create_table(
        "credit",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("image_id", _Id, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_credit"),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_credit_image_id_image"),
    )
    op.create_index("ix_credit_image_id", "credit", ["image_id"])
    op.create_table(
        "reading",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reading"),
    )
    op.add_column("file", sa.Column("reading_id", _Id))
    op.create_table(
        "withdrawal",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("withdrawn", sa.SmallInteger, nullable=False),
        sa.Column("curator", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("sha256", "number", name="pk_withdrawal"),
    )


def _name_inputs() -> None:
    """The name of a file that came in is the end of its origin; which folder was taken in, nobody knows any more."""
    connection, after = op.get_bind(), 0
    asked = sa.text(f"SELECT id, origin FROM intake WHERE id > :after ORDER BY id LIMIT {_ROWS}")
    put = sa.text("UPDATE intake SET name = :name WHERE id = :id")
    while rows := connection.execute(asked, {"after": after}).all():
        after = rows[-1].id
        connection.execute(put, [{"id": row.id, "name": _name(row.origin)} for row in rows])


def _name(origin: str) -> str:
    return unquote_to_bytes(origin.rpartition("/")[2]).decode("utf-8", "backslashreplace").replace("\0", "")


def downgrade() -> None:
    op.drop_column("file", "reading_id")
    op.drop_table("reading")
    op.drop_table("withdrawal")
    op.drop_table("credit")
    op.drop_index("ix_intake_name", "intake")
    op.drop_index("ix_intake_image_id", "intake")
    for name in ("name", "folder"):
        op.drop_column("intake", name)
