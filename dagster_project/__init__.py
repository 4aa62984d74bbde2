"""Python of the warehouse: intake, release and the wiring over both."""
