"""One table for everybody who reads templates: what parses to what, and what is refused.

Each service has a parser of its own (services never import each other), and a contract test that runs it over this.
"""

from __future__ import annotations

LONGEST_NAME = "n" * 64
LONGEST_FALLBACK = "f" * 200

PARSED: dict[str, tuple[str | tuple[str, str | None], ...]] = {
    # Plain texts are strings, slots are (name, fallback), where no fallback is None and an empty one is "".
    "": (),
    "plain": ("plain",),
    "{{name}}": (("name", None),),
    "Hi {{name}}!": ("Hi ", ("name", None), "!"),
    "{{a}}{{b}}": (("a", None), ("b", None)),
    "{{ name }}": (("name", None),),
    "{{\tname\t}}": (("name", None),),
    "{{name|there}}": (("name", "there"),),
    "{{ name | there }}": (("name", "there"),),
    "{{name|dear friend}}": (("name", "dear friend"),),
    "{{name|}}": (("name", ""),),
    "{{name| }}": (("name", ""),),
    "{{name|a|b}}": (("name", "a|b"),),
    "{{name|Zoë & Söhne <3}}": (("name", "Zoë & Söhne <3"),),
    "{{_x1}}": (("_x1", None),),
    "{{Name}} {{name}}": (("Name", None), " ", ("name", None)),
    "{{" + LONGEST_NAME + "}}": ((LONGEST_NAME, None),),
    "{{name|" + LONGEST_FALLBACK + "}}": (("name", LONGEST_FALLBACK),),
    "{name}": ("{name}",),
    "{ {name}}": ("{ {name}}",),
    "name}}": ("name}}",),
    "@media print{p{color:red}}": ("@media print{p{color:red}}",),
    "{{name}}}": (("name", None), "}"),
    "line\r\n{{name}}\nline": ("line\r\n", ("name", None), "\nline"),
}

REFUSED: dict[str, int] = {
    # The offset, in characters, of the braces that begin no slot.
    "{{": 0,
    "{{}}": 0,
    "{{ }}": 0,
    "Hi {{first name}}": 3,
    "Hi {{name": 3,
    "{{name}} and {{": 13,
    "{{1st}}": 0,
    "{{näme}}": 0,
    "{{first-name}}": 0,
    "{{first.name}}": 0,
    "{{#each}}": 0,
    "{{{name}}}": 0,
    "{{name\n}}": 0,
    "{{name|a\nb}}": 0,
    "{{name|a\rb}}": 0,
    "{{name|{x}}}": 0,
    "{{|there}}": 0,
    "{{na{{me}}": 0,
    "{{\u00a0name}}": 0,
    "{{name" + "n" * 61 + "}}": 0,
    "{{name|" + "f" * 201 + "}}": 0,
}
