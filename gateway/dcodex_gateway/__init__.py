"""The gateway: gRPC in, ZeroMQ out, no state that outlives a stream."""
