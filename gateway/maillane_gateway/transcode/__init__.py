"""HTTP and JSON to gRPC and back, by the google.api.http rules that the protos carry. Knows no service by name."""
