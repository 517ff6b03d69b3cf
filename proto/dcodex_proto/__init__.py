"""Generated protobuf and gRPC modules of the native and the classic API."""
