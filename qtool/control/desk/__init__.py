"""The entries of queues: listed, looked for, and looked at."""
