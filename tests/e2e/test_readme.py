"""What the README shows, run as it stands there against the real system."""

import re
from pathlib import Path

from maillane_local.system import System
from support import shown
from support.documents import blocks


def test_the_first_campaign_with_curl(system: System, tmp_path: Path) -> None:
    """The commands make a mailbox and a campaign, and follow it until both mails are sent."""
    [printed] = shown.run(system, blocks("README.md", "sh"), tmp_path)

    assert set(re.findall(r'"(accepted|sent)": *2\b', printed)) == {"accepted", "sent"}, printed


def test_the_first_campaign_with_python(system: System, tmp_path: Path) -> None:
    """The program imports twenty recipients, and sees all of them sent."""
    [program] = blocks("README.md", "python")

    first, *_, last = shown.run_python(system, program, tmp_path).splitlines()

    assert (first, last) == ("20 recipients", "20 sent")
