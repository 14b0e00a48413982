"""People: accounts and what they may do, pages lent and sheets handed in, flags, removals, campaigns of the server."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("password", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("key", name="uq_account_key"),
    )
    op.create_table(
        "account_grant",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("given", sa.SmallInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account_grant"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_grant_account_id_account"),
    )
    op.create_index("ix_account_grant_account_id", "account_grant", ["account_id"])
    op.create_table(
        "invitation",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("digest", name="uq_invitation_digest"),
    )
    op.create_table(
        "invitation_use",
        sa.Column("account_id", _Id, nullable=False, autoincrement=False),
        sa.Column("invitation_id", _Id, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_invitation_use"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_invitation_use_account_id_account"),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitation.id"], name="fk_invitation_use_invitation_id_invitation"),
    )
    op.create_table(
        "invitation_end",
        sa.Column("invitation_id", _Id, nullable=False, autoincrement=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("invitation_id", name="pk_invitation_end"),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitation.id"], name="fk_invitation_end_invitation_id_invitation"),
    )
    op.create_table(
        "lease",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("crowd", sa.String(64), nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lease"),
    )
    op.create_index("ix_lease_page_crowd", "lease", ["page", "crowd"])
    op.create_index("ix_lease_worker", "lease", ["worker"])
    op.create_table(
        "sheet",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("crowd", sa.String(64), nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("took", sa.Float, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sheet"),
        sa.UniqueConstraint("page", "crowd", "worker", name="uq_sheet_page_crowd_worker"),
    )
    op.create_index("ix_sheet_worker", "sheet", ["worker"])
    op.create_table(
        "counted",
        sa.Column("sheet_id", _Id, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("sheet_id", name="pk_counted"),
        sa.ForeignKeyConstraint(["sheet_id"], ["sheet.id"], name="fk_counted_sheet_id_sheet"),
    )
    op.create_table(
        "qualification",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("correct", sa.Integer, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_qualification"),
    )
    op.create_index("ix_qualification_worker_wnid", "qualification", ["worker", "wnid"])
    op.create_table(
        "example",
        sa.Column("candidate_id", _Id, nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("shown", sa.SmallInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("candidate_id", "number", name="pk_example"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_example_candidate_id_candidate"),
    )
    op.create_table(
        "flag",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("wnid", sa.String(9), nullable=False),
        sa.Column("candidate_id", _Id),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_flag"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidate.id"], name="fk_flag_candidate_id_candidate"),
    )
    op.create_index("ix_flag_wnid", "flag", ["wnid"])
    op.create_table(
        "flag_decision",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("flag_id", _Id, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_flag_decision"),
        sa.ForeignKeyConstraint(["flag_id"], ["flag.id"], name="fk_flag_decision_flag_id_flag"),
    )
    op.create_index("ix_flag_decision_flag_id", "flag_decision", ["flag_id"])
    op.create_table(
        "removal",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("receipt", sa.String(32), nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_removal"),
        sa.UniqueConstraint("receipt", name="uq_removal_receipt"),
    )
    op.create_table(
        "removal_image",
        sa.Column("removal_id", _Id, nullable=False, autoincrement=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("removal_id", "sha256", name="pk_removal_image"),
        sa.ForeignKeyConstraint(["removal_id"], ["removal.id"], name="fk_removal_image_removal_id_removal"),
    )
    op.create_index("ix_removal_image_sha256", "removal_image", ["sha256"])
    op.create_table(
        "removal_decision",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("removal_id", _Id, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_removal_decision"),
        sa.ForeignKeyConstraint(["removal_id"], ["removal.id"], name="fk_removal_decision_removal_id_removal"),
    )
    op.create_index("ix_removal_decision_removal_id", "removal_decision", ["removal_id"])
    op.create_table(
        "campaign",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("crowd", sa.String(64), nullable=False),
        sa.Column("under", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("budget", sa.Integer),
        sa.Column("back_off", sa.SmallInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
    )
    op.create_table(
        "campaign_event",
        sa.Column("id", _Id, primary_key=True, autoincrement=True),
        sa.Column("campaign_id", _Id, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_campaign_event"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name="fk_campaign_event_campaign_id_campaign"),
    )
    op.create_index("ix_campaign_event_campaign_id", "campaign_event", ["campaign_id"])


def downgrade() -> None:
    op.drop_table("campaign_event")
    op.drop_table("campaign")
    op.drop_table("removal_decision")
    op.drop_table("removal_image")
    op.drop_table("removal")
    op.drop_table("flag_decision")
    op.drop_table("flag")
    op.drop_table("example")
    op.drop_table("qualification")
    op.drop_table("counted")
    op.drop_table("sheet")
    op.drop_table("lease")
    op.drop_table("invitation_end")
    op.drop_table("invitation_use")
    op.drop_table("invitation")
    op.drop_table("account_grant")
    op.drop_table("account")
