"""The shell: a Python prompt with a site's queues and runners in it."""
