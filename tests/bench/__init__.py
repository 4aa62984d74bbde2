"""Measurements: what the warehouse costs, beside an honest floor."""
