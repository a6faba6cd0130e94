"""Requests that schemathesis makes from our OpenAPI document: such as fit it, and such as do not."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from .malformed_http import SPARED

ANSWER_S: Final = 30.0
ENDLESS: Final = "text/event-stream"
"""What answers so has no end to wait for: its requests are among those of `malformed_http`."""


@dataclass
class Answers:
    """Codes of the answers, and requests that had one from 500 up, shortened."""

    codes: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def send_all(document: Mapping[str, Any], url: str, token: str, luck: int, examples: int) -> Answers:
    """Sends so many requests of each kind for each operation; blocks until all are answered."""
    answers = Answers()
    schema = schemathesis.openapi.from_dict(dict(document))
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # of ours there is none that it cannot read
        if operation.definition.raw.get("operationId") in SPARED or _is_endless(operation.definition.raw):
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _send(operation.as_strategy(generation_mode=mode), url, token, luck, examples, answers)
    return answers


def _is_endless(operation: Mapping[str, Any]) -> bool:
    return any(ENDLESS in answer.get("content", {}) for answer in operation["responses"].values())


def _send(cases: Any, url: str, token: str, luck: int, examples: int, answers: Answers) -> None:
    @seed(luck)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def send(case: Any) -> None:
        answer = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=ANSWER_S)
        answers.codes[answer.status_code] += 1
        if answer.status_code >= 500:
            answers.faults.append(f"{answer.status_code} {case.method} {case.formatted_path} {str(case.body)[:200]}")

    # An operation without any input has none that does not fit.
    with suppress(Unsatisfiable):
        send()
