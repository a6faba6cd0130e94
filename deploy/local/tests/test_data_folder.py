"""The data folder: one owner, secrets made once, and clear words when it cannot be used."""

import stat
from pathlib import Path

import pytest
from maillane_local.data_folder import DataFolder
from maillane_local.errors import LocalError
from maillane_local.system import System


def test_secrets_stay_the_same(tmp_path: Path):
    """What is sealed today must open tomorrow."""
    assert DataFolder(tmp_path).secrets() == DataFolder(tmp_path).secrets()


def test_secrets_are_for_their_owner(tmp_path: Path):
    """Nobody else reads the file."""
    DataFolder(tmp_path).secrets()

    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_a_second_system_is_refused(tmp_path: Path):
    """Two systems on one folder would serve each other's data."""
    first = DataFolder(tmp_path)
    first.open()

    with pytest.raises(LocalError, match="another Maillane runs on"):
        DataFolder(tmp_path).open()
    first.close()


def test_a_closed_folder_can_be_opened_again(tmp_path: Path):
    """The lock goes with its owner."""
    first = DataFolder(tmp_path)
    first.open()
    first.close()

    second = DataFolder(tmp_path)
    second.open()

    assert second.is_open
    second.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    """The error names the folder, the reason and the setting."""
    (tmp_path / "file").touch()

    with pytest.raises(LocalError, match=r"file/data cannot be written \(Not a directory\).*MAILLANE_DATA"):
        DataFolder(tmp_path / "file" / "data").open()


@pytest.mark.parametrize("place", ["file", "file/data", "/proc/maillane"])
def test_a_folder_that_cannot_be_used_has_no_system_on_it(tmp_path: Path, place: str):
    """A demo looks there first; starting a system on it then says what is wrong."""
    (tmp_path / "file").touch()

    assert not DataFolder(tmp_path / place).is_open_elsewhere()


def test_a_system_that_is_only_described_makes_no_folder(tmp_path: Path):
    """It is made when it is opened, for its owner alone."""
    System(tmp_path / "data")

    assert not (tmp_path / "data").exists()


def test_what_is_remembered_comes_back(tmp_path: Path):
    """Values survive their folder object."""
    DataFolder(tmp_path).remember("ports", {"valkey": 1})

    assert DataFolder(tmp_path).remembered("ports") == {"valkey": 1}


def test_a_torn_memory_counts_as_none(tmp_path: Path):
    """A file that cannot be read is no reason not to start."""
    (tmp_path / "ports.json").write_text("{")

    assert DataFolder(tmp_path).remembered("ports") == {}
