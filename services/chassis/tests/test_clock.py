"""Time as a value."""

from datetime import UTC

from maillane_chassis.clock import SYSTEM_CLOCK


def test_wall_time_is_aware_and_in_utc():
    """No naive datetimes start here."""
    assert SYSTEM_CLOCK.wall().tzinfo is UTC


def test_monotonic_time_does_not_run_backwards():
    """Readings never decrease."""
    readings = [SYSTEM_CLOCK.monotonic() for _ in range(1000)]

    assert readings == sorted(readings)
