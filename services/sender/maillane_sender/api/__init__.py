"""The gRPC face of the sender."""
