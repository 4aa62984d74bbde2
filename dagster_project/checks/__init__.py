"""Asset checks: the suites at the two borders, shown where their tables are. Thin: the steps run them."""
