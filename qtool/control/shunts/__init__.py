"""Why messages were set aside: from themselves, and from Mailman's log."""
