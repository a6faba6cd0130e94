"""Imports: recipients in, chunk by chunk, each durable before the next is taken."""
