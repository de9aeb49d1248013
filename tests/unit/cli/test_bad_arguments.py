"""Arguments that cannot be meant: one sentence that says what is wrong and what to do, exit code 2, no server."""

from pathlib import Path

import pytest

from campaigns.cli.main import run
from campaigns.files.ledger_heads import HeadsFileError, read_heads

NUMBER = "+12125550123"
FIRST_HOURS = "0001-01-01T00:00:00+14:00"
"""An instant with an offset that has no name in UTC."""


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a person reads of a command that ends with exit code 2."""
    assert run(list(arguments)) == 2
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("consent", "revoke", NUMBER, "--received-at", FIRST_HOURS),
        ("suppress", "add", NUMBER, "--expires", FIRST_HOURS),
        ("suppress", "import", "list.csv", "--list", "US-FL", "--obtained-at", FIRST_HOURS),
    ],
)
def test_a_time_that_utc_has_no_name_for_is_no_time(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert f"{arguments[-2]} {FIRST_HOURS}: write a" in said(capsys, *arguments)


def test_text_that_is_not_utf_8_is_refused_before_anything_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "suppress", "add", NUMBER, "--source", b"caf\xe9".decode(errors="surrogateescape"))
    assert "argument 5: this text is not UTF-8" in told


@pytest.mark.parametrize("command", [("explain",), ("suppress", "add")])
def test_a_number_read_as_american_is_said_to_be(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    told = said(capsys, *command, "555 012 3")
    assert "without a + it is read as American" in told
    assert "+12025550123" in told
    assert "555 012 3" not in told


def test_a_number_without_a_country_points_to_the_option_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "consent", "show", "5550123")
    assert "--default-region" in told
    assert "customers.defaultRegion" not in told


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "'no such file', allowed is the path of"), (b"\xff\xfe\x00", "saved as UTF-8")]
)
def test_a_table_that_is_missing_or_no_text_is_told_in_plain_words(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    told = said(capsys, "rules", "check", str(file_of(tmp_path, content)))
    assert sentence in told
    assert "Error" not in told


@pytest.mark.parametrize(("content", "sentence"), [(None, "there is no file"), (b"\xff\xfe\x00", "no text in UTF-8")])
def test_heads_that_are_missing_or_no_text_are_told_in_plain_words(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    with pytest.raises(HeadsFileError, match=sentence) as caught:
        read_heads(file_of(tmp_path, content))
    assert "ringfence audit head --to FILE" in str(caught.value)
    assert "Error" not in str(caught.value)


def file_of(folder: Path, content: bytes | None) -> Path:
    """A file with this content; None: there is none."""
    file = folder / "given"
    if content is not None:
        file.write_bytes(content)
    return file


def test_a_list_of_more_than_ten_years_ago_is_a_mistyped_year(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "suppress", "import", "list.csv", "--list", "national", "--obtained-at", "2006-11-20")
    assert "more than ten years ago" in told


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("import", "byo", "--number", "4155550123"), "--number: the number has no country code; write it as +1"),
        (("hooks", "pn-1", "--transfer", "4155550123"), "or an address that begins with sip:"),
    ],
)
def test_a_number_of_a_providers_is_told_once_how_to_be_written(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], advice: str
) -> None:
    told = said(capsys, "numbers", *arguments)
    assert advice in told
    assert "defaultRegion" not in told
    assert "4155550123" not in told


def test_an_account_that_is_not_there_is_told_with_those_that_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ringfence.toml").write_text(
        '[accounts.vapi-main]\nprovider = "vapi"\nsimulator = true\nbaseUrl = "http://127.0.0.1:1"\n'
        "concurrency = 1\ncallsPerSecond = 1.0\n"
    )
    told = said(capsys, "numbers", "list", "--account", "vapi-mian")
    assert told.startswith("error: --account: there is no account vapi-mian; allowed: vapi-main")
