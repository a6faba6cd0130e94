"""What makes one message fail, for one recipient."""


class BadValue(ValueError):
    """A value of this recipient cannot be in this message: a definite failure, for this recipient only.

    `field` is a variable's name, `to` or `from`; `why` is for people, and does not repeat the value.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why
