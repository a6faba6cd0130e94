"""The API described for machines: OpenAPI 3.1, from the same descriptors and rules that answer it."""
