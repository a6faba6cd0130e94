"""How the documents' recipes are run."""

from pathlib import Path

import pytest
from support import shown
from support.documents import blocks


def test_a_machine_without_curl_is_told_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and a failure: a test that is skipped proves nothing."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(
        pytest.fail.Exception, match=r"^this needs curl; install it \(on Debian: apt-get install curl\)$"
    ):
        shown.require_programs(blocks("README.md", "sh"))
