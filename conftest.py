"""Registers the fixtures that all tests share."""

pytest_plugins = ["support.postgres", "support.system", "support.valkey"]
