"""Steps of the schema, oldest first. Each deploys before the code that needs it."""
