"""The messages and the service of zoo.proto, compiled when they are first wanted."""

import subprocess
import sys
import tempfile
from pathlib import Path

import grpc_tools
from google.api import annotations_pb2, field_behavior_pb2
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    field_mask_pb2,
    message_factory,
    struct_pb2,
    timestamp_pb2,
)

# What it imports must be in the pool first.
_IMPORTED = (annotations_pb2, field_behavior_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2)
FOLDER = Path(__file__).parent


def _file() -> descriptor_pb2.FileDescriptorProto:
    google = Path(str(annotations_pb2.__file__)).parents[2]
    with tempfile.TemporaryDirectory() as out:
        target = f"{out}/zoo.binpb"
        includes = [f"-I{FOLDER}", f"-I{Path(grpc_tools.__file__).parent / '_proto'}", f"-I{google}"]
        command = [sys.executable, "-m", "grpc_tools.protoc", *includes, f"--descriptor_set_out={target}", "zoo.proto"]
        subprocess.run(command, check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(Path(target).read_bytes()).file[0]


descriptor_pool.Default().Add(_file())
SERVICE = descriptor_pool.Default().FindServiceByName("zoo.v1.Zoo")
ANIMAL = descriptor_pool.Default().FindMessageTypeByName("zoo.v1.Animal")
Animal = message_factory.GetMessageClass(ANIMAL)
