"""What every file that people write is made of: parts without unknown fields, names and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
TEXT_PATTERN = r"\S"
REGION_PATTERN = r"^[a-z]{2,3}(-[a-z]+)+-[0-9]+$"
# Folders and a file within the repository: no `..` anywhere, and nothing that begins at the root.
RUNBOOK_PATTERN = r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*/)*[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.yaml$"

# Names end up in file names, in tags of features and in dotted paths.
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Text = Annotated[str, Field(pattern=TEXT_PATTERN)]

WORDS_OF_PATTERNS = {
    NAME_PATTERN: "a name of letters, digits, `_` and `-` that begins with a letter or a digit",
    TEXT_PATTERN: "some text",
    RUNBOOK_PATTERN: "a path from the repository's root without `..`, such as `failover/runbook.yaml`",
    REGION_PATTERN: "the name of an AWS region, such as `eu-west-1`",
}


def _title(name: str, _: object) -> str:
    return {"rto": "RTO", "rpo": "RPO"}.get(name, name.replace("_", " "))


class Part(BaseModel):
    """A part of a file that people write: no unknown fields, no changes after loading.

    The docstring below a field is its description in the JSON Schema and in the message that it is missing.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, field_title_generator=_title
    )


class SchemaInOrder(GenerateJsonSchema):
    """A JSON Schema whose fields and examples stand in the order in which they were written."""

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002
        """Return the schema as it is."""
        return value
