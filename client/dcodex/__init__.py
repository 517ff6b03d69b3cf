"""The Python SDK and the dcodex command."""
