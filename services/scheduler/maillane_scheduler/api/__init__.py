"""The rpcs: request in, one act, response out."""
