"""From raw files to ledger rows: readers, layouts, numbers, periods and the ledger itself."""
