"""What a Vapi call achieved: `analysis.structuredData` and `artifact.structuredOutputs`, as single words.

| where                        | what it is                                                           |
|------------------------------|----------------------------------------------------------------------|
| `analysis.structuredData`    | an object, by the assistant's `structuredDataPlan`                   |
| `artifact.structuredOutputs` | `{id: {"name": …, "result": …}}`; a result that is an object has     |
|                              | fields of its own, any other is one answer under the output's name   |
| field `disposition`          | the disposition, in either of them                                   |

Summary, transcript, `successEvaluation` (a grade by a rubric of the assistant's author) and `structuredDataMulti` are
left out. Vapi reports no pressed keys.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from campaigns.calls.conversation import Conversation, answers_of, word_of

DISPOSITION = "disposition"


def conversation_of(analysis: Mapping[str, Any], artifact: Mapping[str, Any]) -> Conversation:
    """Fields of `structuredData` win over those of `structuredOutputs` with the same name."""
    given = dict(_outputs(artifact.get("structuredOutputs")))
    data = analysis.get("structuredData")
    if isinstance(data, Mapping):
        given |= data
    fields = {name: value for name, value in given.items() if isinstance(name, str)}
    return Conversation(disposition=word_of(fields.pop(DISPOSITION, None)), answers=answers_of(fields))


def _outputs(outputs: object) -> Iterator[tuple[str, Any]]:
    for output in outputs.values() if isinstance(outputs, Mapping) else ():
        if not isinstance(output, Mapping):
            continue
        result, name = output.get("result"), output.get("name")
        if isinstance(result, Mapping):
            yield from result.items()
        elif isinstance(name, str):
            yield name, result
