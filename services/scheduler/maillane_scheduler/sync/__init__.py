"""Between Postgres and the queue: whatever the first decides, the second is told, at once or within a second."""
