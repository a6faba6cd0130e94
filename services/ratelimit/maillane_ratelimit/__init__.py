"""Atomic counters of what mailboxes, campaigns, workspaces and the deployment may still send."""
