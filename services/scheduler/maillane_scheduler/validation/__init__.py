"""The rules of every field of the public API, pure: a request in, values out, or every bad field at once."""
