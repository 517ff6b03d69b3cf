"""The native API, proto package dcodex.v1."""
