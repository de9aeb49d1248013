"""How a person sets the simulator's switches, and what a wrong one is answered."""

import json
from pathlib import Path

import pytest

from campaigns.cli.main import run
from campaigns.simulator.__main__ import main
from campaigns.simulator.fields import ConfigError
from campaigns.simulator.options import Options

WRONG = [
    (["--port", "99999"], "0 (any free one) to 65535"),
    (["--set", "faults.stuck"], "PATH=VALUE"),
    (["--set", "faults.stuk=1"], "did you mean faults.stuck?"),
    (["--set", "jambonz.amd_undecide=1"], "did you mean jambonz.amd_undecided?"),
    (["--set", "zzz=1"], "there are answer_latency"),
    (["--set", "speed=1", "--set", "speed.x=2"], "give only one"),
    (["--config", "no-such-file.json"], "no-such-file.json"),
    (["--log", "no/such/folder/log"], "a folder that is there"),
]


@pytest.mark.parametrize(("arguments", "told"), WRONG)
def test_wrong_options_end_with_a_sentence_and_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "told"), [*WRONG, (["--speed", "x"], "--speed"), (["--sped", "1"], "--speed")])
def test_the_ringfence_command_says_the_same(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulator", *arguments]) == 2

    complaint = capsys.readouterr().err
    assert told in " ".join(complaint.split())
    assert "Traceback" not in complaint


@pytest.mark.parametrize("text", ["[]", "{", "5"])
def test_a_file_that_holds_no_switches_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "switches.json"
    path.write_text(text)

    with pytest.raises(ConfigError, match=r"switches\.json"):
        Options(config=path).read()


def test_what_is_typed_goes_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "switches.json"
    path.write_text(json.dumps({"seed": 5, "speed": 10, "jambonz": {"final_hours": 2}}))
    options = Options(config=path, speed=20, no_webhooks=True, assignments=["seed=6", "jambonz.busy_status=no-answer"])
    config = options.read()

    assert (config.seed, config.speed, config.webhooks.enabled) == (6, 20, False)
    assert (config.jambonz.final_hours, config.jambonz.busy_status) == (2, "no-answer")


def test_a_value_is_json_where_it_is_some_and_text_otherwise() -> None:
    config = Options(assignments=["ring=[1, 2]", "api_key=secret", 'scripted={"+1": ["busy"]}']).read()

    assert (config.ring, config.api_key, config.scripted) == ((1, 2), "secret", {"+1": ("busy",)})


def test_help_names_every_option_and_gives_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulator", "--help"]) == 0

    told = capsys.readouterr().out
    assert all(name in told for name in ("--config", "--port", "--seed", "--speed", "--api-key", "--log", "--set"))
    assert "ringfence simulator --port 8977 --speed 100" in told
