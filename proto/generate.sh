#!/bin/sh
# Regenerates the protobuf and gRPC modules beside their .proto files (they are checked in;
# CI wants `git diff --exit-code proto` to be silent). Needs: pip install -e '.[gen]'.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
files="dcodex_proto/v1/executor.proto dcodex_proto/classic/code_executor.proto"
# The path under -I must be the package path, or protoc writes imports that need sys.path edits.
# shellcheck disable=SC2086
"$python" -m grpc_tools.protoc -I proto --python_out=proto --mypy_out=quiet:proto \
    --grpc_python_out=proto --mypy_grpc_out=quiet:proto $files
