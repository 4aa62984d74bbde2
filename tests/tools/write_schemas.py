"""Write the JSON Schemas of layouts and sources beside the shared layouts, for editors: ``python -m tests.tools.write_schemas``."""

from __future__ import annotations

from dagster_project.intake.layouts import SCHEMAS, schema_text
from dagster_project.settings import REPOSITORY

if __name__ == "__main__":
    for name, model in SCHEMAS.items():
        (REPOSITORY / "raw" / "_layouts" / name).write_text(schema_text(model), encoding="utf-8")
