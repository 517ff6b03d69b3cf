"""What crosses a process boundary: messages, wire codec, errors, limits, configuration, logs."""
