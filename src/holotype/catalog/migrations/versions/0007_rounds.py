"""Rounds of votes and pages, numbers of a page's postings, and what was learned when labels were drawn last."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# Ids of pages have begun with the number of their round so far. SQLite's CAST reads the digits a text begins with.
_ROUND = {
    "sqlite": "CAST({0} AS INTEGER)",
    "postgresql": "COALESCE(CAST(substring({0} from '^[0-9]{{1,9}}') AS INTEGER), 0)",
}
_SUFFIX = {
    "sqlite": ("substr(page_id, 1, instr(page_id, '/') - 1)", "CAST(substr(page_id, instr(page_id, '/') + 1) AS INTEGER)"),
    "postgresql": ("split_part(page_id, '/', 1)", "CAST(split_part(page_id, '/', 2) AS INTEGER)"),
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table, page in (("vote", "page"), ("page", "id")):
        op.add_column(table, sa.Column("round", sa.Integer, nullable=False, server_default="0"))
        op.execute(f"UPDATE {table} SET round = {_ROUND[dialect].format(page)}")
    with op.batch_alter_table("posting") as batch:
        batch.add_column(sa.Column("number", sa.Integer, nullable=False, server_default="1"))
        batch.drop_constraint("uq_posting_page_id_crowd", type_="unique")
        batch.create_unique_constraint("uq_posting_page_id_crowd_number", ["page_id", "crowd", "number"])
    page, number = _SUFFIX[dialect]
    op.execute(f"UPDATE posting SET page_id = {page}, number = {number} WHERE page_id LIKE '%/%'")
    op.create_table(
        "learned",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_learned"),
    )


def downgrade() -> None:
    op.drop_table("learned")
    op.execute("UPDATE posting SET page_id = page_id || '/' || CAST(number AS VARCHAR) WHERE number > 1")
    with op.batch_alter_table("posting") as batch:
        batch.drop_constraint("uq_posting_page_id_crowd_number", type_="unique")
        batch.create_unique_constraint("uq_posting_page_id_crowd", ["page_id", "crowd"])
        batch.drop_column("number")
    for table in ("page", "vote"):
        op.drop_column(table, "round")
