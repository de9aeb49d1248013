"""What the record knows of calls at a provider that it has no id of."""

from sqlalchemy import Connection, text


def undecided_attempts(connection: Connection, account: str) -> int:
    """Attempts at this account's provider that may have a call there which the record does not know."""
    return int(
        connection.execute(
            text("""
                SELECT count(*) FROM attempts t JOIN accounts b ON b.name = t.account
                WHERE t.closed_at IS NULL AND t.provider_call_id IS NULL AND t.state IN ('dialing', 'fate_unknown')
                    AND b.provider = (SELECT a.provider FROM accounts a WHERE a.name = :account)
            """),
            {"account": account},
        ).scalar_one()
    )
