"""What goes wrong when things are started on this machine."""


class LocalError(Exception):
    """Something that the person who started the system can act on; its text is one line that says what and why."""
