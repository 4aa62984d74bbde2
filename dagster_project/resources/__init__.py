"""What the assets share during a run: the one refresh that is going on."""
