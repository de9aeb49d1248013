"""From the bytes of a campaign file to its tree, or to one clear sentence why it is not YAML that we read."""

import re
from dataclasses import dataclass

import yaml

from campaigns.definition.yaml_nodes import Mapped, Mark, Scalar
from campaigns.definition.yaml_tree import DuplicateKey, TreeBuilder, YamlFlawError

MAX_BYTES = 10 * 1024 * 1024
"""10,000 inline customers with a dozen variables are about 4 MB."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where the wheel carries it: six times faster on 10,000 inline customers, the same events."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What the YAML specification (1.2.2, production c-printable) leaves out."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is one YAML mapping. Of a key that stands twice the first is kept and the second reported."""

    root: Mapped
    duplicates: tuple[DuplicateKey, ...]


def read_yaml(source: bytes) -> Document:
    """Read one mapping. Raises `YamlFlawError` with the place of the first flaw that leaves nothing to look at."""
    text = _text(source)
    builder = TreeBuilder()
    try:
        builder.consume(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        raise _syntax_flaw(error, text) from None
    except yaml.YAMLError:
        raise YamlFlawError(None, found="text that is not YAML", allowed=_ANY_FILE) from None
    return Document(_mapping(builder), tuple(builder.duplicates))


_ANY_FILE = "a mapping that begins with a line such as `campaign: spring-renewal`"


def _text(source: bytes) -> str:
    if len(source) > MAX_BYTES:
        found = f"{len(source) / 1024 / 1024:.1f} MB"
        raise YamlFlawError(None, found=found, allowed="at most 10 MB; put the customers into a CSV or JSONL file")
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _encoding_flaw(source, error) from None
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        found = f"the control character U+{ord(unprintable[0]):04X}"
        raise YamlFlawError(_mark_at(text, unprintable.start()), found=found, allowed="printable text")
    return text


def _encoding_flaw(source: bytes, error: UnicodeDecodeError) -> YamlFlawError:
    # The codec strips a byte order mark before it counts.
    offset = error.start + (len(source) - len(error.object))
    before = source[:offset].decode("utf-8-sig")
    found = f"byte 0x{source[offset]:02X} at offset {offset}, which is not UTF-8"
    return YamlFlawError(_mark_at(before, len(before)), found=found, allowed="a file saved as UTF-8")


def _mark_at(text: str, index: int) -> Mark:
    return Mark(text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1)


def _syntax_flaw(error: yaml.MarkedYAMLError, text: str) -> YamlFlawError:
    position = error.problem_mark or error.context_mark
    mark = Mark(position.line + 1, position.column + 1) if position else None
    if mark and _has_tab_before(text, mark):
        return YamlFlawError(mark, found="a tab", allowed="spaces; YAML does not allow tabs in indentation")
    what = ", ".join(part for part in (error.context, error.problem) if part)
    return YamlFlawError(
        mark, found=f"text that is not YAML ({what})", allowed="valid YAML; look at this line and above"
    )


def _has_tab_before(text: str, mark: Mark) -> bool:
    lines = text.splitlines()
    line = lines[mark.line - 1] if mark.line <= len(lines) else ""
    return "\t" in line[: mark.column] and not line[: mark.column].strip(" \t-?:")


def _mapping(builder: TreeBuilder) -> Mapped:
    match builder.root:
        case Mapped() as root if root.entries:
            return root
        case None | Mapped() | Scalar(text="", plain=True):
            raise YamlFlawError(None, found="nothing", allowed=_ANY_FILE)
        case Scalar(mark=mark):
            raise YamlFlawError(mark, found="a single text", allowed=_ANY_FILE)
        case root:
            raise YamlFlawError(root.mark, found="a list", allowed=_ANY_FILE)
