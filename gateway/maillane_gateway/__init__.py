"""HTTP and JSON in front of the services. Holds no business rule and no store."""
