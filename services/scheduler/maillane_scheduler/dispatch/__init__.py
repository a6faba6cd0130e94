"""From due to sent: due, reserve, claim, compare and set, and settle (DESIGN §7)."""
