"""How `attention` shows what waits: one paragraph a kind, each with what to type."""

from campaigns.cli.output import answers, notes
from campaigns.services.attention import Waiting, advice, looked_at, masked
from campaigns.store.attention import Alarm, LateRing, Stray, UnknownFate
from campaigns.store.restores import UnprovenAccount


def tell(found: Waiting) -> None:
    """For a person at a terminal."""
    if not found.count:
        answers().print("nothing waits for a person")
        return
    _section("accounts that dial nothing until they are reconciled", [_held(each) for each in found.accounts])
    _section("attempts of unknown fate", [_fate(each) for each in found.fates])
    _section("calls that their provider does not let ring", [_late(each) for each in found.late_rings])
    _section("calls that no attempt explains", [_stray(each) for each in found.strays])
    _section("alarms", [_alarm(each) for each in found.alarms])
    if found.fates:
        notes().print(
            "decide with: ringfence attention decide ID --found CALL_ID | --not-dialed | --reached | --give-up "
            "--reason TEXT",
            markup=False,
            soft_wrap=True,
        )
    if found.strays:
        command = "ringfence attention resolve-stray ACCOUNT CALL --reason TEXT"
        notes().print(f"explain with: {command}", markup=False, soft_wrap=True)
    if found.alarms:
        notes().print("take off with: ringfence attention acknowledge ALARM --reason TEXT", markup=False)


def _section(title: str, paragraphs: list[list[str]]) -> None:
    if not paragraphs:
        return
    console = answers()
    console.print(f"{len(paragraphs)} {title}", markup=False)
    for lines in paragraphs:
        console.print(f"  {lines[0]}", markup=False, soft_wrap=True)
        for line in lines[1:]:
            console.print(f"      {line}", markup=False, soft_wrap=True)


def _held(account: UnprovenAccount) -> list[str]:
    command = f"ringfence reconcile --account {account.account} --since {account.since.isoformat()}"
    return [f"{account.account}, since {account.held_at.isoformat(timespec='seconds')}", account.reason, command]


def _fate(fate: UnknownFate) -> list[str]:
    since = fate.claimed_at.isoformat(timespec="seconds")
    ended = "" if fate.call_state == "fate_unknown" else f"; its call is {fate.call_state} meanwhile"
    return [
        f"{fate.attempt_id}  {fate.campaign}, account {fate.account}, line {fate.line}, number {masked(fate.number)}",
        f"dialed {since}: {fate.why or 'no answer was recorded'}{ended}",
        looked_at(fate),
    ]


def _late(late: LateRing) -> list[str]:
    return [
        f"{late.attempt_id}  {late.campaign}, account {late.account}, number {masked(late.number)}",
        f"call {late.provider_call_id}, flagged {late.late_ring_at.isoformat(timespec='seconds')}",
    ]


def _stray(stray: Stray) -> list[str]:
    made = stray.created_at or stray.first_seen_at
    lines = [f"{stray.account} {stray.provider_call_id}, made {made.isoformat(timespec='seconds')}"]
    if stray.attempt_id is not None:
        lines.append(f"it names attempt {stray.attempt_id}, which has another call: somebody was called twice")
    if stray.waiting_calls:
        calls = ", ".join(map(str, stray.waiting_calls))
        lines.append(f"calls {calls} still wait for the same person; --reached cancels them")
    return lines


def _alarm(alarm: Alarm) -> list[str]:
    about = f", attempt {alarm.attempt_id}" if alarm.attempt_id else ""
    at = alarm.raised_at.isoformat(timespec="seconds")
    return [f"{alarm.id}  {alarm.kind}{about}, {at}: {alarm.detail}", advice(alarm)]
