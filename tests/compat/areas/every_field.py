"""Every field of every operation, with a value of the wrong type."""
import operations

from areas.every_operation import ELSEWHERE, NEVER_AS_ROOT, fill

WRONG = {"string": {"a": 1}, "integer": "many", "number": "many", "boolean": "perhaps", "array": {"a": 1}, "object": "text", "any": {"a": 1}}


def steps(step):
    return [step(f"{operation['method']} {operation['path']}: {field}", f"{operation['method']} {fill(operation['path'])}", {field: WRONG[kind]},
                 headers={"Content-Type": "application/merge-patch+json"} if operation["method"] == "PATCH" else None)
            for operation in operations.recorded() if not skipped(operation)
            for field, kind in operation.get("fields", {}).items()]


def skipped(operation):
    return operation["path"].startswith(ELSEWHERE) or f"{operation['method']} {operation['path']}" in NEVER_AS_ROOT
