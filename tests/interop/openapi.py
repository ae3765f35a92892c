"""Requests that a description of pages allows, and others that it does not: each answer is one that it names, and none is the server's fault.

Run by src/serve/http/openapi.rs with the address of the description as argument.
"""

import sys

from schemathesis.cli import schemathesis

# A text that is no SQL is as well described as one that is.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
]

schemathesis(
    ["run", sys.argv[1], "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", "25"]
    + ["--generation-deterministic", "--continue-on-failure", "--no-color"]
)
