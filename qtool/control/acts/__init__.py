"""What operators do to entries: plans, the journal, the trash, and undo."""
