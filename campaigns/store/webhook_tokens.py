"""By what a webhook proves that it is for a campaign of ours."""

from sqlalchemy import Connection, text


def webhook_token(connection: Connection, *, campaign_id: int, account: str) -> str | None:
    """The token of that campaign at that account; None if there is no such campaign."""
    query = text("SELECT webhook_token FROM campaigns WHERE id = :campaign_id AND account = :account")
    token: str | None = connection.execute(query, {"campaign_id": campaign_id, "account": account}).scalar_one_or_none()
    return token
