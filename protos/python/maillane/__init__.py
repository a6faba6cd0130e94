"""The Maillane contract: generated messages, stubs and services."""
