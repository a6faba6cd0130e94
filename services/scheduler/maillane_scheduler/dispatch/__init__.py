"""From due to sent: due, reserve, claim, compare and set, and settle (docs/architecture.md)."""
