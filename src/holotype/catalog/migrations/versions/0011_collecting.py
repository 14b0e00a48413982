"""Collecting: what sources were asked and answered, links that were found, and what became of fetching them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "search",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search"),
        sa.UniqueConstraint("wnid", "source", "language", "query", name="uq_search_wnid_source_language_query"),
    )
    op.create_table(
        "reply",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_reply"),
    )
    op.create_table(
        "search_page",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("search_id", _Id, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("following", sa.Text),
        sa.Column("results", sa.Integer, nullable=False),
        sa.Column("fresh", sa.Integer, nullable=False),
        sa.Column("total", sa.BigInteger),
        sa.Column("cost", sa.Float, nullable=False),
        sa.Column("reply_sha256", sa.String(64)),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_page"),
        sa.ForeignKeyConstraint(["search_id"], ["search.id"], name="fk_search_page_search_id_search"),
        sa.ForeignKeyConstraint(["reply_sha256"], ["reply.sha256"], name="fk_search_page_reply_sha256_reply"),
        sa.UniqueConstraint("search_id", "number", name="uq_search_page_search_id_number"),
    )
    op.create_table(
        "link",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_link"),
        sa.UniqueConstraint("key", name="uq_link_key"),
    )
    op.create_table(
        "found",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("link_id", _Id, nullable=False),
        sa.Column("page_id", _Id, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("landing", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("creator", sa.Text, nullable=False),
        sa.Column("creator_url", sa.Text, nullable=False),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("licence_url", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_found"),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="fk_found_link_id_link"),
        sa.ForeignKeyConstraint(["page_id"], ["search_page.id"], name="fk_found_page_id_search_page"),
        sa.UniqueConstraint("page_id", "link_id", name="uq_found_page_id_link_id"),
    )
    op.create_index("ix_found_link_id", "found", ["link_id"])
    op.create_table(
        "fetch",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("link_id", _Id, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("final", sa.SmallInteger, nullable=False),
        sa.Column("image_id", _Id),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("modified", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fetch"),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name="fk_fetch_link_id_link"),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name="fk_fetch_image_id_image"),
    )
    op.create_index("ix_fetch_link_id", "fetch", ["link_id"])
