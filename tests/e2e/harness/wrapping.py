"""Putting a wrapper in a function's place."""


def replace(owner: object, name: str, value: object) -> None:
    """Have `owner.name` be `value` from now on, as long as there is such a name."""
    assert hasattr(owner, name), f"there is no {name} to wrap any more"
    setattr(owner, name, value)
