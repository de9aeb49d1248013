"""Bytes that are no usable YAML: one clear problem each, quickly, whatever they are."""

from collections.abc import Callable

import pytest

from campaigns.definition import Problem
from campaigns.definition.yaml_nodes import Mark
from campaigns.definition.yaml_reader import MAX_BYTES, read_yaml
from campaigns.definition.yaml_tree import MAX_DEPTH, YamlFlawError

Problems = Callable[[str | bytes], tuple[Problem, ...]]

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)

FLAWS = [
    (b"", None, "found nothing"),
    (b"# only a comment\n", None, "found nothing"),
    (b"{}", None, "found nothing"),
    (b"campaign", Mark(1, 1), "a single text"),
    (b"- campaign", Mark(1, 1), "found a list"),
    (b"campaign: a\n---\ncampaign: b\n", Mark(2, 1), "a second YAML document"),
    (b"campaign:\n\tname: a\n", Mark(2, 1), "found a tab"),
    (b"campaign: a\n  b: c\n", Mark(2, 4), "not valid YAML|not YAML"),
    (b"campaign: 'a\n", Mark(2, 1), "not YAML"),
    (b"seller: @home\n", Mark(1, 9), "not YAML"),
    (b"seller: caf\xe9\n", Mark(1, 12), "byte 0xE9 at offset 11, which is not UTF-8"),
    (b"\xef\xbb\xbfseller: \xff\n", Mark(1, 9), "byte 0xFF at offset 11"),
    (b"\xff\xfec\x00:\x00", Mark(1, 1), "byte 0xFF at offset 0"),
    (b"a: 1\nb: \x00\n", Mark(2, 4), "control character U+0000"),
    (b'a: "\\0"\n', Mark(1, 4), "an escape for a character that is no text"),
    (b"a: !!python/object/apply:os.system [ls]\n", Mark(1, 4), "a YAML tag"),
    (b"a: !!set {}\n", Mark(1, 4), "a YAML tag"),
    (b"a: &a [*a]\n", Mark(1, 8), "an alias"),
    (b"a: *b\n", Mark(1, 4), "an alias"),
    (b"{{name}: a}\n", Mark(1, 2), "a list or mapping as a key"),
    (b"a: &b [c]\n*b : d\n", Mark(2, 1), "a list or mapping as a key"),
    (b"[" * 100_000, Mark(1, MAX_DEPTH + 1), "nesting deeper than 20 levels"),
    (b"a: &a [[[[[[[[[[[[x]]]]]]]]]]]]\nb: [[[[[[[[[[*a]]]]]]]]]]\n", Mark(2, 14), "nesting deeper than 20 levels"),
    (LAUGHS.encode(), Mark(6, 45), "more than 1,000,000 keys and values"),
    (b"a" * (MAX_BYTES + 1), None, "10.0 MB"),
]


@pytest.mark.parametrize(("source", "mark", "part"), FLAWS, ids=range(len(FLAWS)))
def test_a_file_that_is_no_usable_yaml_has_one_clear_problem(
    problems_of: Problems, source: bytes, mark: Mark | None, part: str
) -> None:
    (problem,) = problems_of(source)
    assert (problem.line, problem.column) == ((mark.line, mark.column) if mark else (None, None))
    assert any(each in problem.message for each in part.split("|"))
    assert problem.path == ""


def test_a_key_may_be_an_alias_of_a_word() -> None:
    root = read_yaml(b"a: &b c\n*b : d\n").root
    assert list(root.entries) == ["a", "c"]


def test_of_a_key_that_stands_twice_both_places_are_known() -> None:
    (duplicate,) = read_yaml(b"a:\n  - b: 1\n    b: 2\n").duplicates
    assert (duplicate.path, duplicate.mark, duplicate.first) == (("a", 0, "b"), Mark(3, 5), Mark(2, 5))


def test_a_flaw_says_what_is_allowed() -> None:
    with pytest.raises(YamlFlawError) as caught:
        read_yaml(b"a:\n\tb: 1\n")
    assert caught.value.allowed == "spaces; YAML does not allow tabs in indentation"
