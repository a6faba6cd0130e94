"""A protoc plugin that makes Python's gRPC stubs, by the generator that is built into grpcio-tools.

grpcio-tools has that generator only inside its own protoc, and buf calls plugins as programs of their own. So this one
reads the plugin request (https://protobuf.dev/reference/other/#plugins), hands its descriptors to that protoc, and
answers with the files that it wrote.
"""

import sys
import tempfile
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

SUFFIX = "_pb2_grpc.py"


def generate(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """Answers with one module for each file to generate that declares a service, or with protoc's failure."""
    with_service = {file.name.removesuffix(".proto") + SUFFIX for file in request.proto_file if file.service}
    response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
    with tempfile.TemporaryDirectory() as folder:
        descriptors = Path(folder, "descriptors.binpb")
        descriptors.write_bytes(FileDescriptorSet(file=request.proto_file).SerializeToString())
        out = Path(folder, "out")
        out.mkdir()
        arguments = [f"--descriptor_set_in={descriptors}", f"--grpc_python_out={out}", *request.file_to_generate]
        if code := protoc.main(["protoc", *arguments]):
            response.error = f"grpc_tools.protoc ended with {code}"
        for path in sorted(out.rglob(f"*{SUFFIX}")):
            name = path.relative_to(out).as_posix()
            if name in with_service:
                response.file.add(name=name, content=path.read_text())
    return response


if __name__ == "__main__":
    answer = generate(CodeGeneratorRequest.FromString(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(answer.SerializeToString())
