"""What every request passes: routing, limits, headers, log and metrics. Knows no rpc."""
