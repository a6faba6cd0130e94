"""Sign-in: OpenID Connect and the person at the machine, and the cookie that a session is kept in."""
