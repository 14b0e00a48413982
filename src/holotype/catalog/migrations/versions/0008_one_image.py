"""One table of images and one of files; labels lie with their candidates, and what an archive says is a candidate."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

STATES = "CASE label.state WHEN 'yes' THEN 1 WHEN 'no' THEN 2 WHEN 'undecided' THEN 3 WHEN 'abandoned' THEN 4 ELSE 0 END"
CHILDREN = {
    "intake": "image",
    "near_duplicate": "image",
    **dict.fromkeys(("sighting", "vote", "gold", "overruling", "prior"), "candidate"),
    **dict.fromkeys(("audit_sample", "audit_answer", "audit_correction"), "candidate"),
}
"""The tables that refer to one that is made anew, which keep their names and their rows."""


def id_column() -> sa.Column[int]:
    return sa.Column("id", Id, autoincrement=True, nullable=False)


def refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def counter(table: str) -> None:
    """On PostgreSQL, ids go on behind those that were copied."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM {table}), false)"
        )


def before(*tables: str) -> None:
    """Copies of tables that are made anew; on PostgreSQL a renamed table would keep the names of its constraints."""
    cascade = " CASCADE" if op.get_bind().dialect.name == "postgresql" else ""
    for table in tables:
        op.execute(f"CREATE TABLE {table}_before AS SELECT * FROM {table}")
        op.execute(f"DROP TABLE {table}{cascade}")


def make_tables() -> None:
    op.create_table(
        "file",
        id_column(),
        sa.Column("dataset_id", Id, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_file"),
        refers("file", "dataset_id", "dataset"),
        sa.UniqueConstraint("dataset_id", "path", name="uq_file_dataset_id_path"),
    )
    op.create_table(
        "image",
        id_column(),
        sa.Column("dataset_id", Id, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("split", sa.String(8), nullable=False),
        sa.Column("file_id", Id, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("boxes", sa.Integer, nullable=False),
        sa.Column("assigned", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_image"),
        refers("image", "dataset_id", "dataset"),
        refers("image", "file_id", "file"),
        sa.UniqueConstraint("dataset_id", "name", name="uq_image_dataset_id_name"),
    )
    op.create_table(
        "fingerprint",
        sa.Column("image_id", Id, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("mirrored", sa.LargeBinary(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("thumbnail_offset", sa.BigInteger),
        sa.Column("thumbnail_length", sa.BigInteger),
        sa.PrimaryKeyConstraint("image_id", name="pk_fingerprint"),
        refers("fingerprint", "image_id", "image"),
    )
    op.create_table(
        "seen",
        sa.Column("image_id", Id, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_seen"),
        refers("seen", "image_id", "image"),
    )
    op.create_table(
        "policy",
        id_column(),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_policy"),
        sa.UniqueConstraint("name", name="uq_policy_name"),
    )
    op.create_table(
        "candidate",
        id_column(),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("image_id", Id, nullable=False),
        sa.Column("labelled_by", Id),
        sa.Column("asked", sa.SmallInteger, nullable=False),
        sa.Column("boxes", sa.Integer, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("posterior", sa.Float),
        sa.Column("policy_id", Id),
        sa.Column("guard", sa.String(16)),
        sa.PrimaryKeyConstraint("id", name="pk_candidate"),
        refers("candidate", "image_id", "image"),
        sa.ForeignKeyConstraint(["labelled_by"], ["file.id"], name="fk_candidate_labelled_by_file"),
        sa.ForeignKeyConstraint(["policy_id"], ["policy.id"], name="fk_candidate_policy_id_policy"),
        sa.UniqueConstraint("image_id", "wnid", name="uq_candidate_image_id_wnid"),
    )
    op.create_table(
        "box",
        id_column(),
        sa.Column("image_id", Id, nullable=False),
        sa.Column("wnid", sa.String(9), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("x_min", "y_min", "x_max", "y_max")),
        sa.Column("file_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_box"),
        refers("box", "image_id", "image"),
        refers("box", "file_id", "file"),
    )
    op.create_table(
        "annotation",
        sa.Column("image_id", Id, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("file_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_annotation"),
        refers("annotation", "image_id", "image"),
        refers("annotation", "file_id", "file"),
    )
    op.create_table(
        "url",
        sa.Column("image_id", Id, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("file_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_url"),
        refers("url", "image_id", "image"),
        refers("url", "file_id", "file"),
    )
    op.create_table(
        "mark",
        id_column(),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("file_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mark"),
        refers("mark", "file_id", "file"),
        sa.UniqueConstraint("wnid", "mark", "file_id", name="uq_mark_wnid_mark_file_id"),
    )


def make_indexes() -> None:
    def where(condition: str) -> dict[str, Any]:
        return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}

    op.create_index("ix_image_unassigned", "image", ["id"], **where("assigned = 0"))
    op.create_index("ix_image_own", "image", ["file_id"], **where("dataset_id = 0"))
    op.create_index("ix_fingerprint_sha256", "fingerprint", ["sha256"])
    op.create_index("ix_candidate_rank_state_boxes", "candidate", ["rank", "state", "boxes"])
    op.create_index("ix_candidate_asked", "candidate", ["rank"], **where("asked = 1"))
    op.create_index("ix_box_image_id", "box", ["image_id"])


def copy_files() -> None:
    op.execute("INSERT INTO dataset (id, name) VALUES (0, '')")
    names = "id, dataset_id, kind, path, size, mtime_ns, at"
    op.execute(f"INSERT INTO file ({names}) SELECT {names} FROM archive_before ORDER BY id")
    op.execute(
        "INSERT INTO file (id, dataset_id, kind, path, size, mtime_ns, at) "
        "SELECT (SELECT coalesce(max(id), 0) FROM archive_before) + row_number() OVER (ORDER BY pack), 0, 'pack', pack, "
        "0, 0, 0 FROM (SELECT DISTINCT pack FROM image_before) AS packs"
    )


def copy_images(shift: int) -> None:
    """Own images keep their ids; those of datasets come `shift` behind."""
    op.execute(
        "INSERT INTO image "
        '(id, dataset_id, name, split, file_id, path, "offset", length, boxes, assigned) '
        "SELECT held.id, 0, held.sha256, '', file.id, '', held.\"offset\", held.length, 0, "
        "CASE WHEN held.id IN (SELECT image_id FROM candidate_before) THEN 2 ELSE 0 END "
        "FROM image_before AS held JOIN file ON file.path = held.pack AND file.dataset_id = 0 ORDER BY held.id"
    )
    op.execute(
        "INSERT INTO image "
        '(id, dataset_id, name, split, file_id, path, "offset", length, boxes, assigned) '
        f'SELECT id + {shift}, dataset_id, name, split, archive_id, path, "offset", length, boxes, '
        "CASE WHEN wnid = '' THEN 0 ELSE 1 END FROM item ORDER BY id"
    )
    names = "sha256, format, mode, width, height, hash, mirrored"
    op.execute(
        f"INSERT INTO fingerprint (image_id, {names}, reason, detail, thumbnail_offset, thumbnail_length) "
        f"SELECT id, {names}, '', '', thumbnail_offset, thumbnail_length FROM image_before ORDER BY id"
    )
    op.execute(
        f"INSERT INTO fingerprint (image_id, {names}, reason, detail) "
        f"SELECT item_id + {shift}, {names}, reason, detail FROM fingerprint_before ORDER BY item_id"
    )
    for table, names in {
        "box": "id, {}, wnid, x_min, y_min, x_max, y_max",
        "annotation": "{}, width, height",
        "url": "{}, url",
    }.items():
        op.execute(
            f"INSERT INTO {table} ({names.format('image_id')}, file_id) "
            f"SELECT {names.format(f'item_id + {shift}')}, archive_id FROM {table}_before ORDER BY 1"
        )
    op.execute(
        "INSERT INTO mark (id, wnid, mark, value, file_id) SELECT id, wnid, mark, value, archive_id FROM mark_before"
    )


def copy_candidates(shift: int) -> None:
    """Candidates keep their ids and get their labels; what an archive says of an item is one more."""
    op.execute(
        "INSERT INTO policy (name) SELECT DISTINCT policy FROM label UNION "
        "SELECT DISTINCT 'imported:' || dataset.name FROM item JOIN dataset ON dataset.id = item.dataset_id "
        "WHERE item.wnid <> '' ORDER BY 1"
    )
    op.execute(
        "INSERT INTO candidate (id, wnid, rank, image_id, asked, boxes, state, posterior, policy_id, guard) "
        f"SELECT c.id, c.wnid, c.rank, c.image_id, 1, 0, {STATES}, label.posterior, policy.id, label.guard "
        "FROM candidate_before AS c LEFT JOIN label ON label.candidate_id = c.id "
        "LEFT JOIN policy ON policy.name = label.policy ORDER BY c.id"
    )
    counter("candidate")
    op.execute(
        "INSERT INTO candidate (wnid, rank, image_id, labelled_by, asked, boxes, state, posterior, policy_id) "
        f"SELECT item.wnid, item.rank, item.id + {shift}, coalesce(item.labelled_by, item.archive_id), 0, item.boxes, 1, 1.0, policy.id "
        "FROM item JOIN dataset ON dataset.id = item.dataset_id JOIN policy ON policy.name = 'imported:' || dataset.name "
        "WHERE item.wnid <> '' ORDER BY item.id"
    )


def upgrade() -> None:
    held = "image", "candidate", "fingerprint", "box", "annotation", "url", "mark", "archive"
    shift = op.get_bind().execute(sa.text("SELECT coalesce(max(id), 0) FROM image")).scalar_one()
    if op.get_bind().dialect.name == "postgresql":
        for table, to in CHILDREN.items():
            column = f"{to}_id"
            op.drop_constraint(f"fk_{table}_{column}_{to}", table, type_="foreignkey")
    before(*held)
    make_tables()
    copy_files()
    copy_images(shift)
    copy_candidates(shift)
    for table in ("label", "item", *(f"{name}_before" for name in held)):
        op.execute(f"DROP TABLE {table}{' CASCADE' if op.get_bind().dialect.name == 'postgresql' else ''}")
    make_indexes()
    for table in ("file", "image", "box", "mark", "policy"):
        counter(table)
    if op.get_bind().dialect.name == "postgresql":
        for table, to in CHILDREN.items():
            column = f"{to}_id"
            op.create_foreign_key(f"fk_{table}_{column}_{to}", table, to, [column], ["id"])


def downgrade() -> None:
    raise NotImplementedError("what a crowd or a curator said of imported images has no place in older catalogs")
