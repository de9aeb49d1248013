"""Three providers: what each tells of a call, what is kept of a conversation, and what a person decided."""

from alembic import op

revision = "0003"
down_revision = "0002"

SCHEMA = [
    # --- attempts: who picked up, whether the phone rang, and calls that a provider holds until their time ------
    """
    ALTER TABLE attempts
        ADD COLUMN answered_by text CHECK (answered_by IN ('human', 'machine')),
        ADD COLUMN rang boolean NOT NULL DEFAULT false,
        ADD COLUMN late_ring_at timestamptz,
        ADD COLUMN provider_due_from timestamptz,
        ADD COLUMN provider_due_until timestamptz,
        ADD CHECK ((provider_due_from IS NULL) = (provider_due_until IS NULL))
    """,
    # AIMD: the share of the account's rate that is used for now; 429 and capacity answers halve it, successes raise it.
    "ALTER TABLE accounts ADD COLUMN rate_share double precision NOT NULL DEFAULT 1 "
    "CHECK (rate_share > 0 AND rate_share <= 1)",
    # --- what was said: removed when its time is over, so apart from the attempt's own row -----------------------
    """
    CREATE TABLE attempt_artifacts (
        attempt_id uuid PRIMARY KEY REFERENCES attempts,
        transcript text,
        summary text,
        recording_url text,
        cost_breakdown jsonb NOT NULL DEFAULT '{}',
        stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        delete_after timestamptz NOT NULL
    )
    """,
    "CREATE INDEX attempt_artifacts_due ON attempt_artifacts (delete_after)",
    # --- audits: the provider's calls that no attempt of ours explains, and the reverse ---------------------------
    """
    CREATE TABLE stray_calls (
        account text NOT NULL REFERENCES accounts,
        provider_call_id text NOT NULL,
        created_at timestamptz,
        first_seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        resolved_at timestamptz,
        resolved_by text,
        resolution text,
        PRIMARY KEY (account, provider_call_id),
        CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
    )
    """,
]


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the record has no way back: restore a backup instead")
