"""Runs the whole system on one machine: real servers, all services, and a mail catcher."""

import os

# gRPC's core handles forks, and breaks the children of a process that uses it: this one starts servers all the time,
# each of them by exec. It must be said before grpc is loaded.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
