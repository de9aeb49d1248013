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
        ADD COLUMN ring_look_at timestamptz,
        ADD COLUMN late_cancel_at timestamptz,
        ADD COLUMN late_cancelled_at timestamptz,
        ADD COLUMN late_ring_at timestamptz,
        ADD COLUMN provider_due_from timestamptz,
        ADD COLUMN provider_due_until timestamptz,
        ADD CHECK ((provider_due_from IS NULL) = (provider_due_until IS NULL))
    """,
    # Calls that were accepted and of which nobody has heard a ring: few at any time, and looked at every few seconds.
    "CREATE INDEX attempts_not_ringing ON attempts (claimed_at) "
    "WHERE state = 'in_progress' AND NOT rang AND late_ring_at IS NULL",
    # `calls list` reads by time; claims come in the order of time, so a few pages say where to look.
    "CREATE INDEX attempts_claimed ON attempts USING brin (claimed_at)",
    # --- runs whose calls the provider holds until their time: the feed never releases them --------------------
    """
    ALTER TABLE runs
        ADD COLUMN provider_from timestamptz,
        ADD COLUMN provider_until timestamptz,
        ADD CHECK ((provider_from IS NULL) = (provider_until IS NULL)),
        ADD CHECK (provider_until > provider_from)
    """,
    "CREATE INDEX runs_handed_over ON runs (id) WHERE provider_from IS NOT NULL AND state = 'active'",
    "CREATE INDEX attempts_handed_over ON attempts (account) WHERE provider_due_from IS NOT NULL AND closed_at IS NULL",
    # Asked back by a person's revocation, or by an operator's pause, cancel or stop.
    """
    ALTER TABLE provider_cancels
        ALTER COLUMN revocation_id DROP NOT NULL,
        ADD COLUMN asked_by text,
        ADD CHECK (revocation_id IS NOT NULL OR asked_by IS NOT NULL)
    """,
    # AIMD: the share of the account's rate that is used for now; 429 and capacity answers halve it, successes raise it.
    "ALTER TABLE accounts ADD COLUMN rate_share double precision NOT NULL DEFAULT 1 "
    "CHECK (rate_share > 0 AND rate_share <= 1)",
    # Refusals in a row, by their kind: creates that were refused, and accepted calls that ended for the same causes.
    """
    ALTER TABLE accounts
        ADD COLUMN rate_changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ADD COLUMN config_ends integer NOT NULL DEFAULT 0
    """,
    """
    ALTER TABLE campaigns
        ADD COLUMN config_errors integer NOT NULL DEFAULT 0,
        ADD COLUMN config_ends integer NOT NULL DEFAULT 0
    """,
    # Lines that cannot call numbers of a country, as their provider said.
    """
    CREATE TABLE line_bars (
        line text NOT NULL,
        country text NOT NULL,
        until timestamptz NOT NULL,
        PRIMARY KEY (line, country)
    )
    """,
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
    "CREATE INDEX attempt_artifacts_stored ON attempt_artifacts (stored_at)",
    # What is over is deleted by age.
    "CREATE INDEX inbox_over ON inbox (received_at) WHERE state IN ('done', 'stored', 'foreign')",
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
    # `attempt_id`: our attempt that has another provider call already. `waiting_calls`: calls of ours to the same
    # person that waited when the stray was found: ids, because a stray call is nobody's customer here.
    """
    ALTER TABLE stray_calls
        ADD COLUMN attempt_id uuid,
        ADD COLUMN waiting_calls bigint[] NOT NULL DEFAULT '{}'
    """,
    "CREATE INDEX stray_calls_open ON stray_calls (first_seen_at) WHERE resolved_at IS NULL",
    "CREATE INDEX attempts_account ON attempts (account, claimed_at)",
    # When the next audit is due, and how far the last one saw: a beat that was away for days catches up.
    """
    ALTER TABLE accounts
        ADD COLUMN audit_due_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '1 day',
        ADD COLUMN audited_until timestamptz
    """,
    """
    ALTER TABLE alarms
        ADD COLUMN resolved_at timestamptz,
        ADD COLUMN resolved_by text,
        ADD COLUMN resolution text,
        ADD CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
    """,
    "CREATE INDEX alarms_open ON alarms (id) WHERE resolved_at IS NULL",
    "CREATE INDEX alarms_attempt ON alarms (attempt_id) WHERE attempt_id IS NOT NULL",
    # --- a database that was restored or promoted may have forgotten calls ----------------------------------------
    # Another cluster, another timeline, another database or table than the one that wrote `system.identity`: the rows
    # came here by a restore, a copy or a promotion. NULL where the server does not let us ask.
    """
    CREATE FUNCTION database_identity() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        RETURN concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
            left(pg_walfile_name(pg_current_wal_lsn()), 8),
            (SELECT oid FROM pg_database WHERE datname = current_database()), 'system'::regclass::oid);
    EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
        RETURN NULL;
    END $$
    """,
    "ALTER TABLE system ADD COLUMN identity text",
    "UPDATE system SET identity = database_identity()",
    # Why an account dials nothing until `reconcile` looked back to `unproven_since`; lifted by nothing else.
    """
    ALTER TABLE accounts
        ADD COLUMN unproven_reason text,
        ADD COLUMN unproven_since timestamptz,
        ADD COLUMN unproven_at timestamptz,
        ADD CHECK ((unproven_reason IS NULL) = (unproven_since IS NULL)),
        ADD CHECK ((unproven_reason IS NULL) = (unproven_at IS NULL))
    """,
]


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the record has no way back: restore a backup instead")
