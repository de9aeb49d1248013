"""docs/simulator.md says what the simulator can be told, no more and no less."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from campaigns.simulator.options import Options
from campaigns.simulator.server import ENDPOINTS, Simulator
from campaigns.simulator.switches import markdown, sections

TEXT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
GUIDE, _, REST = TEXT.partition("<!-- switches -->\n")
TABLES = REST.partition("<!-- end of switches -->")[0]
NAMES = {switch.name for section in sections() for switch in section.switches}
PARTS = {section.name for section in sections() if section.name}
COMMANDS = [found for found in re.findall(r"`(--[^`]+)`", GUIDE) if "=" in found and "NAME" not in found]


def test_the_tables_are_those_that_the_command_prints() -> None:
    assert markdown() == TABLES, "put the output of `ringfence simulator --switches` between the marks"


def test_every_switch_says_what_it_does() -> None:
    assert [switch.name for section in sections() for switch in section.switches if not switch.meaning] == []
    assert [section.name for section in sections() if not section.meaning] == []


def test_every_switch_that_the_guide_names_is_there() -> None:
    named = set(re.findall(r"`((?:vapi|jambonz|voxworks|faults|webhooks|rates)(?:\.\w+)+)`", GUIDE))

    assert len(named) > 20
    assert named <= NAMES | PARTS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_recipe_is_taken(command: str) -> None:
    words = shlex.split(command)
    assignments = [value for word, value in pairwise(words) if word == "--set"]

    assert Options(assignments=assignments).read() != Options().read()


def test_the_control_api_is_described_whole() -> None:
    simulation = Simulator().simulation
    served = {(route.method, route.path) for each in ENDPOINTS for route in each(simulation).routes()}
    described = set(re.findall(r"^\| `(GET|POST) (/simulator/\w+)`", GUIDE, re.MULTILINE))

    assert described == {(method, path) for method, path in served if path.startswith("/simulator/")}


def test_every_url_of_the_guide_is_served() -> None:
    simulation = Simulator().simulation
    paths = {route.path for each in ENDPOINTS for route in each(simulation).routes()}
    table = re.search(r"\| provider \| what is there \|\n(.*?)\n\n", GUIDE, re.DOTALL)
    assert table is not None
    named = [word for word in re.findall(r"`([^`]+)`", table[1])]

    assert [word for word in named if not any(word in path for path in paths)] == []
