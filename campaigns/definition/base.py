"""What all blocks of a campaign file have in common."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Block(BaseModel):
    """A mapping in the file: camelCase keys there, snake_case here, no key that we do not know, never changed."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, serialize_by_alias=True, use_attribute_docstrings=True
    )

    @classmethod
    def known_keys(cls) -> tuple[str, ...]:
        """The keys as the file spells them."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())
