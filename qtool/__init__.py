"""Console and engine for mail queue runners in the tradition of GNU Mailman."""
