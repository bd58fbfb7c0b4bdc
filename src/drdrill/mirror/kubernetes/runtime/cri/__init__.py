"""The messages of the Container Runtime Interface, generated: the only words that the kubelet speaks.

`api.proto` is the file of that name in `k8s.io/cri-api` v0.34.4, unchanged: Copyright 2020 The Kubernetes Authors,
under the Apache License 2.0, as this project is. `api_pb2.py` and `api_pb2.pyi` are made from it in `src/` by::

    python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. drdrill/mirror/kubernetes/runtime/cri/api.proto

with `grpcio-tools` 1.76.0, whose output runs on protobuf 6.31 and newer. They are not made during the build, so that
nobody who installs drdrill needs a compiler of protocols; a test compares them with `api.proto`.
"""
