"""Compares the protos with those of the main branch: what a client there uses must still be there (buf breaking).

The branch is `origin/main` where there is one, else `main`. A branch without protos breaks nobody.
"""

import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from generate_protos import BUF, BUILD, ROOT, stage_google

BRANCHES = ("origin/main", "main")
BEFORE = BUILD / "before"
WANTED = ("buf.yaml", "protos/maillane")


def main() -> None:
    """Exits 1, with buf's words, when something broke."""
    branch = next((name for name in BRANCHES if _has_protos(name)), None)
    if branch is None:
        print("breaking: no main branch with protos to compare with")
        return
    _check_out(branch)
    stage_google()
    # The branch names a module for Google's protos, which no branch has.
    stage_google(BEFORE / ".build/googleapis")
    before, now = _image(BEFORE), _image(ROOT)
    sys.exit(subprocess.run([BUF, "breaking", str(now), "--against", str(before)], cwd=ROOT, check=False).returncode)


def _image(tree: Path) -> Path:
    """Our protos of a tree as one image: two modules would be two, which buf compares only with two."""
    image = BUILD / f"{tree.name}.binpb"
    subprocess.run([BUF, "build", "--path", "protos/maillane", "--output", str(image)], cwd=tree, check=True)
    return image


def _has_protos(branch: str) -> bool:
    listed = subprocess.run(
        ["git", "ls-tree", "--name-only", branch, *WANTED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return listed.returncode == 0 and sorted(listed.stdout.split()) == sorted(WANTED)


def _check_out(branch: str) -> None:
    shutil.rmtree(BEFORE, ignore_errors=True)
    packed = subprocess.run(["git", "archive", branch, *WANTED], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(BEFORE, filter="data")


if __name__ == "__main__":
    main()
