"""Whether a call that waits at a provider may be moved to another time.

It is the one request that lets a phone ring and for which the gate is not asked. So it must be certain that the call is
somebody else's, and nothing may be switched off.
"""

from sqlalchemy import Connection

from campaigns.providers.contract import CallReport
from campaigns.store.provider_audit import owners
from campaigns.store.provider_calls import undecided_attempts
from campaigns.store.single_calls import held_by

OURS = (
    "this is a call of a campaign, allowed for its own time only: `ringfence calls cancel` it, and let the gate judge "
    "a new one"
)


class CallRefusedError(Exception):
    """The call is not in a state for that. The message says what to do instead."""


def require_movable(connection: Connection, account: str, report: CallReport) -> None:
    """Raises `CallRefusedError`: the call is ours or may be, or nothing is to be dialed now.

    Calls are looked up among all accounts at the same provider: two keys of one organisation name the same calls.
    """
    if report.attempt_id is not None or owners(connection, account, [report.provider_call_id]):
        raise CallRefusedError(OURS)
    if count := undecided_attempts(connection, account):
        raise CallRefusedError(
            f"nobody knows the calls of {count} of our own attempts there, and this may be one of them: decide those "
            "first, `ringfence attention` lists them"
        )
    if why := held_by(connection, account):
        raise CallRefusedError(f"no phone is to ring now: {why}")
