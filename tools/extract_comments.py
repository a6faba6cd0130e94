"""Writes the public protos' comments to gateway/maillane_gateway/comments.json, for the API's documentation.

Generated modules hold no comments, and a descriptor set with them is a binary that no review can read. `--check` says
whether the file is up to date, and changes nothing.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
TARGET = ROOT / "gateway/maillane_gateway/comments.json"
PACKAGES = ("maillane/scheduler/v1", "maillane/sender/v1")

# Numbers of fields in FileDescriptorProto, of which the paths of source locations are made.
_FILE = {4: "message_type", 5: "enum_type", 6: "service"}
_WITHIN = {
    "message_type": {2: "field", 3: "nested_type", 4: "enum_type"},
    "enum_type": {2: "value"},
    "service": {2: "method"},
}
_WITHIN["nested_type"] = _WITHIN["message_type"]


def extract() -> str:
    """The file's text: comments by full name, sorted."""
    found = {name: comment for file in _compiled() for name, comment in _comments(file)}
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes or checks the file."""
    text = extract()
    if "--check" not in sys.argv:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        sys.exit(f"{TARGET.relative_to(ROOT)} is out of date: run {Path(__file__).relative_to(ROOT)}")


def _compiled() -> Iterable[descriptor_pb2.FileDescriptorProto]:
    found = (path for package in PACKAGES for path in (PROTOS / package).glob("*.proto"))
    public = [path for path in found if "google/api/annotations.proto" in path.read_text()]
    protos = sorted(path.relative_to(PROTOS).as_posix() for path in public)
    grpc_tools, google = (Path(_location(name)) for name in ("grpc_tools", "google.api"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set.binpb"
        includes = [f"-I{path}" for path in (PROTOS, grpc_tools / "_proto", google.parent.parent)]
        flags = ["--include_source_info", f"--descriptor_set_out={out}"]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *includes, *flags, *protos], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file


def _location(module: str) -> str:
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"{module} is not installed; run make setup")
    return next(iter(spec.submodule_search_locations))


def _comments(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, str]]:
    for location in file.source_code_info.location:
        name = _name(file, list(location.path))
        if location.leading_comments.strip() and name:
            yield f"{file.package}.{name}", _unwrapped(location.leading_comments)


def _name(file: descriptor_pb2.FileDescriptorProto, path: list[int]) -> str:
    """The dotted name of what a location is about; empty where it is none of messages, fields, enums and rpcs."""
    current: Any = file
    names, kinds = [], _FILE
    for number, index in zip(path[::2], path[1::2], strict=False):
        kind = kinds.get(number)
        if kind is None:
            return ""
        current = getattr(current, kind)[index]
        names.append(current.name)
        kinds = _WITHIN.get(kind, {})
    return ".".join(names) if len(path) % 2 == 0 else ""


def _unwrapped(comment: str) -> str:
    """Paragraphs on one line each."""
    paragraphs = comment.strip().split("\n\n")
    return "\n\n".join(" ".join(line.strip() for line in each.splitlines()) for each in paragraphs)


if __name__ == "__main__":
    main()
