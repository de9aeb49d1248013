"""The simulator's own command line."""

import pytest

from campaigns.simulator.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "99999"], "0 (any free one) to 65535"),
        (["--set", "faults.stuck"], "PATH=VALUE"),
        (["--config", "no-such-file.json"], "no-such-file.json"),
    ],
)
def test_wrong_options_end_with_a_sentence_and_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err
