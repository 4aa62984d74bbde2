"""What every test shares: dbt compiles the project once, for the refreshes of all roots and for `make refresh` alike."""

import os

from dagster_project.settings import Settings

os.environ.setdefault("FINCENTER_PLANS", str(Settings().plans))
