"""What a spool looks like after its processes were killed, or their disk failed."""
