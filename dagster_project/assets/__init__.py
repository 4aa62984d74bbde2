"""Assets: raw sources, the warehouse that dbt builds, the release. Thin: each calls one step of ``release.refresh``."""
