"""Beside the real GNU Mailman, which is built from the package index."""
