"""What every service is bolted to: settings, errors, access, interceptors, server and channel, logs, metrics, clock."""
