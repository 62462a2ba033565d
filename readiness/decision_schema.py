"""The JSON Schema of a decision, from the types themselves: what `netready gate --json` prints, for those who build on it."""

from inspect import cleandoc
from typing import Any

import msgspec

from readiness.decision import Decision

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema of one decision (JSON Schema 2020-12). Later versions may add fields; none of these goes or changes."""
    (top,), defined = msgspec.json.schema_components((Decision,), ref_template="#/$defs/{name}")
    for shape in defined.values():
        shape["description"] = cleandoc(shape["description"])
        if "properties" in shape:  # an enumeration has none
            # A default is what the program falls back on; what it prints is complete.
            shape["required"] = list(shape["properties"])
            for field in shape["properties"].values():
                field.pop("default", None)
    return {"$schema": DIALECT, "title": "The answer of netready's gate", **top, "$defs": defined}
