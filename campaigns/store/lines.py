"""Who uses a line: what must be known before a provider's number is given up."""

from sqlalchemy import Connection, text


def users_of_line(connection: Connection, *, account: str, line: str) -> list[str]:
    """Campaigns that may still dial from this line, or talk on it now, on this account or one of the same credential.

    A campaign whose runs are all finished, and that has no further slot, uses nothing any more.
    """
    rows = connection.execute(
        text("""
            WITH sharing AS (
                SELECT name FROM accounts
                WHERE name = :account OR limit_group = (SELECT limit_group FROM accounts WHERE name = :account))
            SELECT c.name FROM campaigns c
            WHERE c.account IN (SELECT name FROM sharing) AND :line = ANY(c.lines) AND c.state <> 'cancelled'
                AND (c.next_run_at IS NOT NULL OR EXISTS (
                    SELECT FROM runs r WHERE r.campaign_id = c.id AND r.state IN ('expanding', 'active')))
            UNION
            SELECT c.name FROM attempts t JOIN campaigns c ON c.id = t.campaign_id
            WHERE t.account IN (SELECT name FROM sharing) AND t.line = :line AND t.closed_at IS NULL
            ORDER BY 1
        """),
        {"account": account, "line": line},
    )
    return list(rows.scalars())
