"""What every service is bolted to: settings, errors, access, interceptors, server and channel, logs, metrics, clock."""

import os

# gRPC's core writes lines of its own to stderr, in another form than our logs and with the addresses of peers; what
# matters of them reaches us as exceptions and statuses. It reads this once, when grpc is first imported: so it stands
# here, and deployments that import grpc before anything of ours set the variable themselves.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
