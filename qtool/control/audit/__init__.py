"""Who did what: the log that every act writes, and reading it."""
