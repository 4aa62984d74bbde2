"""Candidate → published: the main job's steps, its checks, and answers out of a release. Imports no Dagster."""
