"""The farm on one machine: what `dcodex up` starts, watches and stops."""
