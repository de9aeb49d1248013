"""The process behind `large_bodies.py`: reads (account, body) from its input, writes receipts or what was wrong."""

import pickle
import sys
from collections.abc import Mapping
from typing import BinaryIO

from campaigns.providers.contract import Receipt, VoiceProvider, WebhookRejectedError
from campaigns.providers.registry import build_provider
from campaigns.web.large_bodies import ParserOf


def main(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the input ends, be it in the middle of a body: then our parent was killed."""
    parsers: Mapping[str, ParserOf] = pickle.load(questions)  # noqa: S301 - from our parent, by its pipe
    providers = {account: build_provider(told.kind, told.access) for account, told in parsers.items()}
    while True:
        try:
            account, body = pickle.load(questions)  # noqa: S301
        except (EOFError, pickle.UnpicklingError):
            return
        pickle.dump(answer(providers[account], body), answers)
        answers.flush()


def answer(provider: VoiceProvider, body: bytes) -> Receipt | Exception:
    """What the body says. A fault of ours goes back by its name: its text might quote the body."""
    try:
        return provider.parse_webhook(body)
    except WebhookRejectedError as error:
        return error
    except Exception as error:
        return RuntimeError(f"a webhook could not be read: {type(error).__name__}")


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
