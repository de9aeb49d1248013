"""Staying with single calls until there is nothing to wait for, and telling how they ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import typer
from rich.table import Table

from campaigns.cli.errors import ExitCode
from campaigns.cli.nudge import nudge_launch
from campaigns.cli.output import answers, notes, plain, print_json
from campaigns.cli.session import Session, wait
from campaigns.runtime.interrupts import Interrupted, interrupts_deferred
from campaigns.runtime.law import gatekeeper_at
from campaigns.services.call_stories import CallStories, CallStory, Look, Standing
from campaigns.services.control import Control
from campaigns.services.single_call import SubmittedCall

LOOK_INTERVAL = timedelta(milliseconds=500)
GOOD = frozenset({Standing.ANSWERED, Standing.HANDED_OVER})


@dataclass(frozen=True, slots=True)
class Followed:
    """How it ended. `withdrawn`: because no worker came, at the caller's wish."""

    stories: Sequence[CallStory]
    withdrawn: bool = False


def follow(session: Session, name: str, *, withdraw_after: timedelta | None, quiet: bool) -> Followed:
    """Wait until every call is settled. Ctrl-C leaves them as they are and says how to look.

    `withdraw_after`: for so long no worker may be there; then what was not dialed is cancelled.
    """
    try:
        with interrupts_deferred() as interrupted:
            return _followed(session, name, interrupted, withdraw_after=withdraw_after, quiet=quiet)
    except KeyboardInterrupt:
        notes().print(
            f"{name} goes on without you: `ringfence status {name}` shows it, `ringfence cancel {name}` withdraws it "
            "as far as it was not dialed",
            soft_wrap=True,
        )
        raise


def _followed(
    session: Session, name: str, interrupted: Interrupted, *, withdraw_after: timedelta | None, quiet: bool
) -> Followed:
    stories = CallStories(session.engine, gatekeeper_at(session.settings.home))
    told, waited, withdrawn = "", timedelta(0), False
    while not (look := stories.look(name)).settled and not interrupted.arrived:
        if (sentence := _sentence(look)) != told and not quiet:
            notes().print(plain(sentence), soft_wrap=True)
            told = sentence
        if look.unattended and withdraw_after is not None and waited >= withdraw_after and not withdrawn:
            Control(session.engine, operator=session.operator, wait=wait).cancel(name)
            withdrawn = True
        wait(LOOK_INTERVAL)
        waited += LOOK_INTERVAL
    return Followed(look.stories, withdrawn)


def tell(name: str, followed: Followed, *, as_json: bool, created: bool = True) -> None:
    """Print the outcome, one row a call."""
    stories = followed.stories
    if as_json:
        print_json({"campaign": name, "created": created, "calls": [story.as_dict() for story in stories]})
    elif len(stories) > 1:
        answers().print(_table(stories))
    else:
        sentence = stories[0].sentence if stories else "withdrawn; nothing was dialed"
        answers().print(plain(f"{name}: {sentence}"), soft_wrap=True)


def exit_code_of(followed: Followed) -> ExitCode:
    """0: all went well; 3: the gate refused every one; 4: withdrawn for want of a worker; else 1."""
    standings = {story.standing for story in followed.stories}
    if followed.withdrawn and not standings & {Standing.LIVE, Standing.UNKNOWN, *GOOD}:
        return ExitCode.UNREACHABLE
    if standings and standings <= GOOD:
        return ExitCode.DONE
    return ExitCode.REFUSED if standings == {Standing.REFUSED} else ExitCode.BAD_ANSWER


def _sentence(look: Look) -> str:
    if look.held_by is not None:
        return f"waits: {look.held_by}"
    waiting = [story for story in look.stories if not story.settled]
    if not waiting:
        return "waits for its list to be read"
    return waiting[0].sentence if len(look.stories) == 1 else f"{len(waiting)} of {len(look.stories)} are under way"


def _table(stories: Sequence[CallStory]) -> Table:
    table = Table("row", "", "what became of it", box=None, pad_edge=False)
    for story in stories:
        table.add_row(str(story.row), story.standing.value, plain(story.sentence))
    return table


def stay(
    session: Session, submitted: SubmittedCall, *, withdraw_after: timedelta | None, to_the_end: bool, as_json: bool
) -> None:
    """Wake the workers, follow the calls to their end, and end with their exit code."""
    if submitted.created:
        nudge_launch(session.addresses)
    name = submitted.name
    if not as_json:
        again = "" if submitted.created else ": this key was used before, and no second call is made"
        notes().print(plain(f"{name}{again}"))
    if not to_the_end:
        if as_json:
            print_json({"campaign": name, "created": submitted.created, "calls": []})
        return
    followed = follow(session, name, withdraw_after=withdraw_after, quiet=as_json)
    tell(name, followed, as_json=as_json, created=submitted.created)
    if code := exit_code_of(followed):
        raise typer.Exit(code)
