"""What the queue and the counters have in common: how a cluster's primaries are reached. It knows no key."""

from maillane_redis_cluster.client import SCHEMES, ClusterClient

__all__ = ["SCHEMES", "ClusterClient"]
