"""Figures beside GNU Mailman's, in one run and one table: ``python -m tests.bench``."""
