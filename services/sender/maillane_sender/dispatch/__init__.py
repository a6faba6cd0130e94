"""Claims messages from the scheduler, has them sent, and tells what became of them."""

from maillane_sender.dispatch.dispatch import Dispatch, Drained, End
from maillane_sender.dispatch.pace import Pace
from maillane_sender.dispatch.scheduler_client import SchedulerClient

__all__ = ["Dispatch", "Drained", "End", "Pace", "SchedulerClient"]
