"""The coordinator: the one broker that knows every worker and every waiting request."""
