"""CSV files over HTTP into the ImportRecipients stream, a chunk at a time."""
