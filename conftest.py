"""Registers the fixtures that all tests share."""

import os

# Tests start servers while gRPC's threads run in this process. Its fork handlers work in the child before the exec, and
# now and then break it there ("Epoll1Poller … Bad file descriptor"). Read when grpc is imported: hence here.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

pytest_plugins = ["support.postgres", "support.seed", "support.system", "support.valkey"]
