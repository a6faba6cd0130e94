"""What people and programs read of the API: /docs and /openapi.json."""
