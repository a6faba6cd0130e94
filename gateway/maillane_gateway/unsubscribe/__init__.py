"""The pages behind the link by which a recipient ends mail (RFC 8058): the only ones that need no account."""
