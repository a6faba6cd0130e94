"""A clock that is not ours, held to ours."""

from maillane_scheduler.steadiness import SteadyClock


def watched(*looks: tuple[float, float, float]) -> float:
    """For how long the other clock has been steady after looks of (theirs, before, after)."""
    clock = SteadyClock()
    for look in looks:
        clock.look(*look)
    return clock.steady_s()


def test_nothing_is_known_before_the_second_look() -> None:
    """A first look says nothing of what was before."""
    assert watched() == watched((1000, 5, 5)) == 0


def test_a_clock_that_goes_on_alike_is_steady_since_the_first_look() -> None:
    """Looks may be far apart."""
    assert watched((1000, 5, 5), (1001, 6, 6), (1600, 605, 605)) == 600


def test_a_jump_begins_anew() -> None:
    """Ahead and back alike; so does our own machine's sleep, in which our clock stands still."""
    assert watched((1000, 5, 5), (8200, 6, 6), (8210, 16, 16)) == 10
    assert watched((1000, 5, 5), (900, 6, 6), (910, 16, 16)) == 10


def test_what_the_other_clock_says_now_is_known_from_above() -> None:
    """It was read at some time between asking and hearing; before the first look nothing is known."""
    clock = SteadyClock()

    assert clock.at_most(5) is None
    clock.look(1000, 5, 7)
    assert 1010 <= (clock.at_most(15) or 0) <= 1010.1


def test_a_slow_answer_is_no_jump() -> None:
    """The other clock was read at some time between asking and hearing."""
    assert watched((1000, 5, 5), (1001, 6, 14), (1010, 15, 15)) == 10


def test_a_jump_is_told_by_its_size() -> None:
    """At least so much, whenever between asking and hearing the other clock was read; going on alike is none."""
    clock = SteadyClock()

    jumps = [clock.look(*look) for look in ((1000, 5, 5), (1001, 6, 6), (901, 6, 7), (902, 8, 8), (9902, 8, 9))]

    assert jumps == [0, 0, -100, 0, 8999]
