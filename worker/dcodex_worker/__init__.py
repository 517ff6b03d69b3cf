"""The worker host: warm templates, worker processes and their sandboxes."""
