"""The gRPC face of the limiter."""
